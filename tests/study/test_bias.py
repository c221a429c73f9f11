"""The law of bias amplification: recovered from latents whose bias is known."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import latmix
from latmix.jobs.inversion import Inversion
from latmix.jobs.measurement import measure
from latmix.jobs.pictures import PictureRow
from latmix.sampling.generators import drained
from latmix.sampling.settings import InversionSettings
from latmix.store.latents import LatentStore
from latmix.study.bias import (
    BiasSeries,
    Drawing,
    amplification,
    default_counts,
    fit_law,
    measure_bias,
    subsets,
)

COUNTS = [1, 4, 9, 16, 25, 36, 49, 64]


def stored(latents: torch.Tensor, tmp_path: Path) -> Inversion:
    """Latents in a store, as an inversion leaves them."""
    channels, height, width = latents.shape[1:]
    space = LatentStore(tmp_path).open({"test": "bias"}, (channels, height, width))
    rows = [
        PictureRow(tmp_path / f"{index}.png", f"{index:064}", "") for index in range(len(latents))
    ]
    with space:
        for row, latent in zip(rows, latents, strict=True):
            space.add(row.key, latent)
    return Inversion(tuple(rows), (), space, InversionSettings((64, 64)), len(rows), 0, 0.0)


def biased(count: int, bias: float, spread: float = 1.0) -> torch.Tensor:
    """Noise latents (N, 4, 32, 32) whose elements share a bias: +b in channels 0 and 1, -b in
    the others."""
    noise = torch.randn(count, 4, 32, 32, generator=torch.Generator().manual_seed(3))
    sign = torch.tensor([1.0, 1.0, -1.0, -1.0])[:, None, None]
    return spread * noise + bias * sign


def series(
    latents: torch.Tensor, tmp_path: Path, method: str = "fix/0", law: str = "paper"
) -> BiasSeries:
    live = drained(measure(stored(latents, tmp_path)))
    return drained(measure_bias("known", live, COUNTS, Drawing(method, 8, 0, law)))


@given(bias=st.floats(0.001, 0.9), counts=st.lists(st.integers(1, 500), min_size=1, max_size=9))
def test_the_bias_of_amplifications_that_follow_the_law_is_found(
    bias: float, counts: list[int]
) -> None:
    law = fit_law(counts, [amplification(bias, n) for n in counts])
    # Where b^2 is small against 1/N the amplification hardly knows it.
    assert law.bias**2 == pytest.approx(bias**2, abs=1e-6)
    assert law.residual < 1e-6


@given(bias=st.floats(0.05, 0.6), spread=st.floats(0.7, 1.5))
def test_the_bias_is_found_for_latents_of_another_variance(bias: float, spread: float) -> None:
    alphas = [amplification(bias, n, spread) for n in COUNTS]
    law = fit_law(COUNTS, alphas, norm_ratio=math.hypot(bias, spread))
    assert (law.bias, law.spread) == pytest.approx((bias, spread), abs=1e-5)
    assert law.r_squared == pytest.approx(1.0)


def test_without_bias_the_law_is_the_square_root() -> None:
    law = fit_law(COUNTS, [math.sqrt(n) for n in COUNTS])
    assert law.bias < 1e-6
    assert law.amplification(100) == pytest.approx(10)


def test_no_other_bias_fits_better() -> None:
    alphas = [1.1, 1.6, 2.4, 2.2, 2.9]
    counts = [1, 4, 9, 16, 25]
    law = fit_law(counts, alphas)

    def residual(b: float) -> float:
        pairs = zip(counts, alphas, strict=True)
        return math.sqrt(sum((amplification(b, n) - a) ** 2 for n, a in pairs) / 5)

    assert law.residual == pytest.approx(residual(law.bias))
    assert all(residual(b / 1000) >= law.residual for b in range(1, 1000))


def test_one_point_has_no_share_explained() -> None:
    assert fit_law([9], [2.0]).r_squared is None


@pytest.mark.parametrize(
    ("counts", "alphas"),
    [([], []), ([1], [1.0, 2.0]), ([0], [1.0]), ([1], [0.0]), ([1], [math.nan])],
)
def test_a_fit_of_nothing_is_refused(counts: list[float], alphas: list[float]) -> None:
    with pytest.raises(ValueError, match="amplifications"):
        fit_law(counts, alphas)


@pytest.mark.parametrize("bias", [0.1, 0.3])
def test_the_bias_put_into_latents_is_the_bias_fitted(bias: float, tmp_path: Path) -> None:
    found = series(biased(64, bias), tmp_path)
    assert found.law is not None
    assert found.law.bias == pytest.approx(bias, abs=0.005)
    assert found.law.r_squared is not None
    assert found.law.r_squared > 0.99
    # The amplified channel means are alpha b, and the law says so, within the noise of a mean.
    for point in found.points:
        expected = [found.expected(point.count, channel) for channel in range(4)]
        wanted = [bias * amplification(bias, point.count) * s for s in (1, 1, -1, -1)]
        assert expected == pytest.approx(wanted, abs=0.05)
        assert [m.mean for m in point.channel_mean] == pytest.approx(wanted, abs=0.05)
        assert point.norm_ratio.mean == pytest.approx(1.0)


def test_the_spread_is_measured_from_the_norms(tmp_path: Path) -> None:
    found = series(biased(64, 0.3, spread=0.8), tmp_path, law="spread")
    assert found.law is not None
    assert (found.law.bias, found.law.spread) == pytest.approx((0.3, 0.8), abs=0.005)


def test_what_is_measured_is_what_mix_makes(tmp_path: Path) -> None:
    latents = biased(5, 0.2)
    live = drained(measure(stored(latents, tmp_path)))
    found = drained(measure_bias("all", live, [5], Drawing(draws=4)))
    mixture = latmix.mix(latents, method="fix/0")
    [point] = found.points
    assert point.draws == 1
    means = [spread.mean for spread in point.channel_mean]
    assert means == pytest.approx(mixture.mean(dim=(1, 2)).tolist(), abs=1e-5)


def test_split_channel_means_are_not_amplified(tmp_path: Path) -> None:
    found = series(biased(64, 0.3), tmp_path, method="fix/chm")
    expected = [found.expected(64, channel) for channel in range(4)]
    assert expected == pytest.approx(found.input_channel_mean)
    assert [m.mean for m in found.points[-1].channel_mean] == pytest.approx(expected, abs=1e-6)


def test_a_method_that_amplifies_nothing_has_no_law(tmp_path: Path) -> None:
    assert series(biased(64, 0.3), tmp_path, method="lin/0").law is None


def test_draws_are_seeded_and_all_subsets_are_taken_where_they_are_few() -> None:
    assert list(subsets(30, 5, 6, 1)) == list(subsets(30, 5, 6, 1)) != list(subsets(30, 5, 6, 2))
    assert {len(chosen) for chosen in subsets(30, 5, 6, 1)} == {5}
    assert len(set(subsets(4, 2, 10, 0))) == 6
    assert list(subsets(4, 4, 10, 0)) == [frozenset(range(4))]


def test_values_of_n_are_squares_up_to_the_folder() -> None:
    assert default_counts(64) == COUNTS
    assert default_counts(1) == [1]
    assert default_counts(3) == [1]
    many = default_counts(10_000)
    assert (many[0], many[-1]) == (1, 10_000)
    assert len(many) == 10
