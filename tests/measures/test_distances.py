"""The distances between sets of pictures: their formulas, and what samples show of them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from latmix.measures.distances import (
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
