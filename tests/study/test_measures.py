"""The distances between sets of pictures, the draws, and what a study costs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from latmix.study.draws import Draws
from latmix.study.measures import (
    estimate_distance,
    frechet_distance,
    frechet_from,
    kernel_from,
    sampled_distance,
)


def normal(count: int, width: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, width, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("some", "known", "width"), [(40, 50, 6), (5, 50, 12), (4, 5, 30)])
def test_the_frechet_distance_is_that_of_its_formula(some: int, known: int, width: int) -> None:
    one, other = normal(some, width, 0), 2 * normal(known, width, 1) + 1
    first, second = torch.cov(one.T), torch.cov(other.T)
    roots = torch.linalg.eigvals(first @ second).real.clamp_min(0).sqrt().sum()
    gap = (one.mean(0) - other.mean(0)).square().sum()
    expected = float(gap + first.trace() + second.trace() - 2 * roots)
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-6)
    assert frechet_from(other)(one.float()) == pytest.approx(expected, rel=1e-4)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)


def test_the_kernel_distance_is_the_mean_over_pairs() -> None:
    one, other = normal(5, 3, 0), normal(7, 3, 1) + 0.5

    def kernel(x: Tensor, y: Tensor) -> float:
        return float((x @ y / 3 + 1) ** 3)

    def within(rows: Tensor) -> float:
        pairs = [kernel(x, y) for i, x in enumerate(rows) for j, y in enumerate(rows) if i != j]
        return sum(pairs) / len(pairs)

    across = sum(kernel(x, y) for x in one for y in other) / 35
    assert kernel_from(other)(one) == pytest.approx(within(one) + within(other) - 2 * across)


def test_the_kernel_distance_has_no_bias_where_the_frechet_distance_has() -> None:
    known = normal(2000, 4, 0)
    samples = [normal(12, 4, seed) for seed in range(1, 200)]
    kernel, frechet = kernel_from(known), frechet_from(known)
    assert abs(sum(map(kernel, samples)) / len(samples)) < 0.03
    assert sum(map(frechet, samples)) / len(samples) > 0.3


def test_an_interval_holds_its_distance_and_narrows() -> None:
    known = normal(500, 4, 0)
    wide, narrow = (estimate_distance(frechet_from(known), normal(n, 4, 1) + 1) for n in (10, 300))
    for found in (wide, narrow):
        assert found.low < found.mean < found.high
    assert narrow.high - narrow.low < (wide.high - wide.low) / 2
    assert narrow.low < 4 < narrow.high


def test_the_class_against_itself_is_what_a_sample_of_it_shows() -> None:
    known = normal(400, 4, 0)
    small, large = (sampled_distance(frechet_from(known), known, n) for n in (8, 200))
    assert 0 < large.mean < small.mean
    assert small.low < frechet_distance(normal(8, 4, 3), known) < small.high


PATHS = [Path(f"{index}.png") for index in range(12)]


@given(st.integers(1, 5), st.integers(0, 99), st.integers(1, 12), st.sets(st.sampled_from(PATHS)))
@settings(max_examples=50, deadline=None)
def test_a_draw_takes_the_first_readable_of_its_order(
    repeats: int, seed: int, count: int, lost: set[Path]
) -> None:
    draws = Draws.random(PATHS, repeats, seed)
    assert draws.orders == Draws.random(PATHS, repeats + 1, seed).orders[:repeats]
    assert all(sorted(order) == list(range(12)) for order in draws.orders)
    wanted = draws.wanted(count, lost)
    assert wanted == sorted(wanted, key=PATHS.index)
    assert not lost & set(wanted)
    assert set(draws.wanted(1, lost)) <= set(wanted)
    readable = min(count, 12 - len(lost))
    assert readable <= len(wanted) <= min(repeats * count, 12 - len(lost))
    assert Draws.natural(PATHS).wanted(count, lost) == [p for p in PATHS if p not in lost][:count]
