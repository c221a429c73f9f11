"""Forward diffusion with one noise for all pictures, then DDIM inversion."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import latmix
from latmix.models.protocol import Model
from latmix.sampling.generators import drained
from latmix.sampling.levels import Levels
from latmix.sampling.solvers.stepwise import shared_levels, shared_noise
from latmix.sampling.trajectory import Guidance
from tests.support.closed_form import data, flow_levels, network, relative, smooth_levels, told
from tests.support.walks import invert


@pytest.mark.parametrize(
    "grid", [lambda steps: smooth_levels(steps, "epsilon"), flow_levels], ids=["epsilon", "flow"]
)
def test_it_converges_to_the_trajectory_of_the_noised_picture(
    grid: Callable[[int], Levels],
) -> None:
    errors = []
    for steps in (50, 100, 200, 400):
        levels = grid(steps)
        net = network(levels)
        clean = data(net)
        level = steps - shared_levels(steps)
        noised = levels.a[level] * clean + levels.s[level] * shared_noise(clean)
        found = drained(invert(net, clean, levels, Guidance(told(3)), "shared-noise"))
        errors.append(relative(found, net.exact_noise(noised, level)))
    ratios = [before / after for before, after in itertools.pairwise(errors)]
    assert all(1.8 < ratio < 2.2 for ratio in ratios), errors


@pytest.mark.parametrize(("steps", "shared"), [(1, 0), (2, 1), (10, 1), (50, 2), (500, 20)])
def test_some_levels_are_shared_and_cost_nothing(steps: int, shared: int) -> None:
    levels = smooth_levels(steps, "epsilon")
    net = network(levels)
    walk = list(invert(net, data(net), levels, Guidance(told(3)), "shared-noise"))
    assert [step.done for step in walk] == list(range(1, steps + 1))
    assert sum(step.calls for step in walk) == steps - shared


def test_latents_are_nearer_to_noise_and_share_it(mini: Model, faces: list[Path]) -> None:
    def inner(one: Tensor, other: Tensor) -> float:
        return float((one * other).sum() / (one.norm() * other.norm()))

    excess, together = {}, {}
    for solver in ("ddim", "shared-noise"):
        latents = latmix.invert(mini, faces[:3], "an emoji of a face", steps=25, solver=solver)
        latents = latents - latents.mean(dim=(2, 3), keepdim=True)
        fourth = (latents**4).mean() / (latents**2).mean() ** 2
        excess[solver] = abs(float(fourth) - 3)
        together[solver] = inner(latents[0], latents[1])
    assert excess["shared-noise"] < 0.75 * excess["ddim"]
    assert together["shared-noise"] > together["ddim"] + 0.2


def test_a_latent_does_not_depend_on_its_batch(mini: Model, faces: list[Path]) -> None:
    together, alone = (
        latmix.invert(mini, faces[:2], steps=4, solver="shared-noise", batch=batch)
        for batch in (2, 1)
    )
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-3)
