"""Latents' health against what N(0, I) is, and against what other latents are known to be."""

from __future__ import annotations

import math

import pytest
import torch

from latmix.mixing.blocks import blocks
from latmix.mixing.health import LOW_CYCLES, Health, blocks_health, expected_health, latents_health

SHAPE = (4, 24, 20)
NAMES = ("norm_ratio", "excess_kurtosis", "low_share", "correlation_across", "correlation_down")


def noise(count: int = 200) -> torch.Tensor:
    torch.manual_seed(5)
    return torch.randn(count, *SHAPE)


@pytest.mark.parametrize("name", [*NAMES, "bias"])
def test_noise_has_the_expected_figures_with_the_expected_spread(name: str) -> None:
    values = torch.tensor([getattr(health, name) for health in latents_health(noise())])
    expected = expected_health(SHAPE)[name]
    within = 4 * expected.spread / math.sqrt(len(values))
    # To first order in 1/L: the kurtosis and the correlations are a little below 0.
    assert float(values.mean()) == pytest.approx(expected.mean, abs=within + 1 / 480)
    assert float(values.std()) == pytest.approx(expected.spread, rel=0.2)


def test_channel_means_of_noise_spread_as_expected() -> None:
    means = torch.tensor([health.channel_mean for health in latents_health(noise())])
    assert float(means.std()) == pytest.approx(
        expected_health(SHAPE)["channel_mean"].spread, rel=0.1
    )


def test_every_figure_is_the_textbook_formula() -> None:
    latent = noise(1)[0].double().exp() + torch.arange(4.0).double()[:, None, None]
    [health] = latents_health(latent[None])
    rest = latent - latent.mean((1, 2), keepdim=True)
    assert health.norm_ratio == pytest.approx(float(latent.square().mean().sqrt()))
    assert health.channel_mean == pytest.approx(latent.mean((1, 2)).tolist())
    assert health.bias == pytest.approx(float(latent.mean((1, 2)).max()))
    kurtosis = float(rest.pow(4).mean() / rest.pow(2).mean() ** 2 - 3)
    assert health.excess_kurtosis == pytest.approx(kurtosis)
    variance = rest.square().mean()
    across = float((rest[:, :, 1:] * rest[:, :, :-1]).mean() / variance)
    down = float((rest[:, 1:] * rest[:, :-1]).mean() / variance)
    assert (health.correlation_across, health.correlation_down) == pytest.approx((across, down))


def test_a_wave_is_low_or_not_and_smooth_along_itself() -> None:
    x = torch.arange(20.0)
    for cycles, share in ((1, 1.0), (LOW_CYCLES, 1.0), (3, 0.0), (10, 0.0)):
        wave = torch.cos(2 * math.pi * cycles * x / 20).expand(1, *SHAPE)
        [health] = latents_health(wave)
        assert health.low_share == pytest.approx(share, abs=1e-6)
        assert health.correlation_down == pytest.approx(1.0)
        neighbours = math.cos(2 * math.pi * cycles / 20)
        assert health.correlation_across == pytest.approx(neighbours, abs=0.06)


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_a_constant_latent_has_no_deviations(value: float) -> None:
    [health] = latents_health(torch.full((1, *SHAPE), value))
    mean = pytest.approx(value)
    assert health == Health(mean, (mean,) * 4, 0.0, 0.0, 0.0, 0.0)


def test_tiny_and_single_channel_latents_have_figures() -> None:
    for shape in ((1, 1, 1), (1, 1, 2), (3, 2, 1)):
        [health] = latents_health(torch.randn(1, *shape))
        assert all(math.isfinite(getattr(health, name)) for name in NAMES)
        assert all(
            math.isfinite(value) for pair in expected_health(shape).values() for value in pair
        )


def test_blocks_of_rows_give_the_same() -> None:
    latents = noise(3)
    pairs = zip(blocks_health(blocks(latents), SHAPE), latents_health(latents), strict=True)
    for one, other in pairs:
        for name in NAMES:
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9), name
    with pytest.raises(ValueError, match=r"\(N, C, H, W\)"):
        latents_health(latents[0])


def test_the_mean_of_latents_health_has_the_bias_that_they_share() -> None:
    own = torch.tensor([0.5, -0.5])[:, None, None, None]
    latents = noise(2) + own + 0.3 * torch.eye(4)[1][:, None, None]
    both = latents_health(latents)
    mean = Health.mean(both)
    assert mean.norm_ratio == pytest.approx(sum(each.norm_ratio for each in both) / 2)
    assert mean.correlation_down == pytest.approx(sum(each.correlation_down for each in both) / 2)
    assert mean.bias == pytest.approx(0.3, abs=0.2)
    assert all(each.bias > mean.bias for each in both)
