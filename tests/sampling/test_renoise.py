"""Renoising: averaged predictions, moved towards noise."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import latmix
from latmix.measures.likeness import psnr
from latmix.mixing.health import latents_health
from latmix.models.protocol import Model
from latmix.sampling import whitening
from latmix.sampling.generators import drained
from latmix.sampling.levels import Levels
from latmix.sampling.pictures import prepare
from latmix.sampling.settings import InversionSettings
from latmix.sampling.solvers import SOLVERS
from latmix.sampling.trajectory import Guidance, Step
from latmix.sampling.whitening import correlation, divergence, whitened
from tests.support.closed_form import data, flow_levels, network, relative, smooth_levels, told
from tests.support.walks import generate, invert

GRIDS = {
    "epsilon": lambda steps: smooth_levels(steps, "epsilon"),
    "v_prediction": lambda steps: smooth_levels(steps, "v_prediction"),
    "flow": flow_levels,
}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_what_it_averages_converges_and_nearly_comes_back(
    grid: Callable[[int], Levels], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the gradients move it, a step is the fixed point's to a high order in its length."""
    monkeypatch.setattr(whitening, "GRADIENT_STEPS", 0)
    errors, back = [], {}
    for steps in (40, 80, 160):
        levels, guidance = grid(steps), Guidance(told(3))
        net = network(levels)
        clean = data(net)
        for solver in ("ddim", "renoise"):
            noise = drained(invert(net, clean, levels, guidance, solver))
            back[solver] = relative(drained(generate(net, noise, levels, guidance)), clean)
        errors.append(relative(noise, net.exact_noise(clean)))
        assert back["renoise"] < 0.05 * back["ddim"]
    assert all(1.8 < before / after < 2.2 for before, after in itertools.pairwise(errors)), errors


def test_every_step_takes_the_calls_that_the_table_says() -> None:
    levels = smooth_levels(6, "epsilon")
    net = network(levels)
    walk = list(invert(net, data(net), levels, Guidance(told(3)), "renoise"))
    made = [step for step in walk if isinstance(step, Step)]
    assert [step.done for step in made] == [1, 2, 3, 4, 5, 6]
    assert {step.calls for step in made} == {SOLVERS["renoise"].calls}


@pytest.mark.parametrize("side", [8, 16])
def test_the_correlation_of_a_constant_and_of_a_point_are_known(side: int) -> None:
    """A constant c is c^2 at every shift, twice over, and doubles with every halving."""
    levels = 1 if side == 8 else 2
    constant = torch.full((1, 3, side, side), 0.5, dtype=torch.float64)
    expected = 3 * 2 * sum(0.5**4 * 16**level for level in range(levels))
    assert float(correlation(constant)) == pytest.approx(expected)
    point = torch.zeros(1, 1, side, side, dtype=torch.float64)
    point[..., 3, 5] = 1.0
    assert float(correlation(point)) == pytest.approx(0.0, abs=1e-20)


def test_the_divergence_of_scaled_noise_is_known() -> None:
    """Of patches without a mean of their own, which scaling would move."""
    torch.manual_seed(0)
    half = torch.randn(2, 4, 8, 4, dtype=torch.float64)
    noise = torch.stack([half, -half], dim=4).flatten(3)
    assert divergence(noise, noise).tolist() == pytest.approx([0.0, 0.0], abs=1e-12)
    expected = math.log(2) + 1 / 8 - 1 / 2
    assert divergence(noise, 2 * noise).tolist() == pytest.approx([expected] * 2)


def test_regularising_makes_correlated_noise_whiter_and_leaves_white_noise() -> None:
    torch.manual_seed(0)
    white = torch.randn(2, 4, 16, 16)
    smooth = (white + white.roll(1, dims=3)) / math.sqrt(2)
    other = torch.randn(2, 4, 16, 16)
    after = whitened(smooth, other)
    assert bool((correlation(after) < correlation(smooth)).all())
    assert bool((divergence(after, other) < divergence(smooth, other)).all())
    assert relative(whitened(white, white), white) < 0.03 < relative(after, smooth)


def test_any_noise_stays_finite_and_rows_do_not_see_one_another() -> None:
    torch.manual_seed(0)
    noise = torch.randn(3, 4, 6, 10) * torch.tensor([1.0, 1e4, 0.0]).view(3, 1, 1, 1)
    like = torch.randn(3, 4, 6, 10)
    together = whitened(noise, like)
    assert bool(together.isfinite().all())
    alone = torch.cat([whitened(noise[row : row + 1], like[row : row + 1]) for row in range(3)])
    torch.testing.assert_close(together, alone)
    assert bool(whitened(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1)).isfinite().all())


def test_latents_are_healthier_than_by_ddim_and_come_back_as_well(
    mini: Model, faces: list[Path]
) -> None:
    settings = InversionSettings((64, 64), steps=8)
    pictures = [prepare(path, settings) for path in faces[:2]]
    bounds = mini.decode(mini.encode(pictures))
    health, decibels = {}, {}
    for solver in ("ddim", "renoise"):
        latents = latmix.invert(mini, pictures, "an emoji of a face", steps=8, solver=solver)
        health[solver] = latents_health(latents)
        again = latmix.generate(mini, latents, "an emoji of a face", steps=8, guidance=1)
        decibels[solver] = [psnr(*pair) for pair in zip(again, bounds, strict=True)]
    for before, after in zip(health["ddim"], health["renoise"], strict=True):
        assert abs(after.norm_ratio - 1) < abs(before.norm_ratio - 1)
        assert after.low_share < before.low_share
        assert abs(after.correlation_across) < abs(before.correlation_across)
        assert abs(after.correlation_down) < abs(before.correlation_down)
    assert min(decibels["renoise"]) > min(decibels["ddim"])


def test_a_latent_does_not_depend_on_its_batch(mini: Model, faces: list[Path]) -> None:
    together, alone = (
        latmix.invert(mini, faces[:2], steps=2, guidance=3, solver="renoise", batch=batch)
        for batch in (2, 1)
    )
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-3)
