"""Exact pairs by BELM: every step can be undone, at one evaluation, at any guidance.

With S(i, j, x) = A x + B m(x, t_i) the plain step from level i to level j, a step leaps over the
state in its middle, and inverting is the same equation solved for the other end:

    x_{i+1} = S(i, i+1, x_i) + g_i (x_{i-1} - S(i, i-1, x_i))

A latent is thus two: the noise x_0 and its neighbour x_1. The g_i are those of O-BELM, which make
the step one of second order: the errors of the two S cancel. Source: Wang et al. 2410.07273,
equation 18; the same weight written in the coefficients of S serves every prediction.

Why this one: EDICT (Wallace et al. 2211.12446) takes two evaluations and its two latents drift
apart; g = 1 (BDIA, Zhang et al. 2307.10829) keeps every error that alternates between the two,
which the g_i < 1 of O-BELM let die out on the way to the picture.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace

import torch
from torch import Tensor

from latmix.mixing.companions import SECOND, Latents
from latmix.mixing.summary import precise
from latmix.sampling import trajectory
from latmix.sampling.generators import watched
from latmix.sampling.levels import Levels, clean_and_noise
from latmix.sampling.trajectory import Call, Guidance, Network, Step

DAMPING = 1.5
"""How far over a whole trajectory, as a power of e, errors that alternate die out beyond O-BELM.
Divided by the steps it is small enough to leave the order as it is."""


def invert_pair(
    network: Network, clean: Tensor, levels: Levels, guidance: Guidance, tolerance: float = 1e-5
) -> Generator[Step | Call, None, Latents]:
    """From clean latents (B, C, H, W) float32 to the pair that `generate_pair` makes them from.

    The cleanest step is inverted by a fixed point, which the second state comes from.

    Args:
        tolerance: of that fixed point.

    Raises:
        ValueError: there are fewer than two steps.
    """
    grid, total = _leaping(levels), levels.steps
    if grid.steps < 2:
        raise ValueError(f"steps must be at least 2 for belm, not {levels.steps}.")
    start = grid.last_step()
    first = trajectory.invert(network, clean, start, guidance, tolerance=tolerance)
    state = yield from watched(first, lambda seen: replace(seen, total=total))
    kind = precise(clean.device)
    ahead, middle = clean.to(kind), state.to(kind)
    for index in range(grid.steps - 1, 0, -1):
        output, estimate = _predicted(network, grid, index, middle, guidance)
        plain = grid.moved(index, index + 1, middle, output)
        back = grid.moved(index, index - 1, middle, output)
        ahead, middle = middle, back + (ahead - plain) / _weight(grid, index)
        yield Step(grid.steps - index + 1, total, estimate)
    return Latents(middle.float(), {SECOND: ahead.float()}, levels.steps)


def generate_pair(
    network: Network, latents: Latents, levels: Levels, guidance: Guidance
) -> Generator[Step, None, Tensor]:
    """From pairs to clean latents (B, C, H, W) float32.

    Noise without a second latent, or with one of other steps, makes its own by a plain step.
    """
    grid = _leaping(levels)
    kind = precise(latents.noise.device)
    behind, calls = latents.noise.to(kind), 1
    if SECOND in latents.companions and latents.steps == levels.steps:
        middle = latents.companions[SECOND].to(behind)
    else:
        output, _ = _predicted(network, grid, 0, behind, guidance)
        middle, calls = grid.moved(0, 1, behind, output), 2
    for index in range(1, grid.steps):
        output, estimate = _predicted(network, grid, index, middle, guidance)
        plain = grid.moved(index, index + 1, middle, output)
        back = grid.moved(index, index - 1, middle, output)
        behind, middle = middle, plain + _weight(grid, index) * (behind - back)
        yield Step(index, levels.steps, estimate, calls)
        calls = 1
    yield Step(levels.steps, levels.steps, middle.float(), calls=0)
    return middle.float()


def _weight(levels: Levels, index: int) -> float:
    """g_i of O-BELM, damped, from the coefficients of S(i, i+1) and S(i, i-1)."""
    scale, push = levels.coefficients(index)
    back_scale, back_push = levels.coefficients(index, index - 1)
    return back_scale / scale * (push / back_push) ** 2 * math.exp(-DAMPING / levels.steps)


def _predicted(
    network: Network, levels: Levels, index: int, state: Tensor, guidance: Guidance
) -> tuple[Tensor, Tensor]:
    """The network's output at a level, and x0_hat. The state is wider than the network's, so that
    the leaps add no rounding of their own."""
    rows = torch.arange(len(state), device=state.device)
    narrow = state.float()
    output = guidance.predict(network, narrow, levels.times[index], rows)
    level = levels.a[index], levels.s[index]
    return output, clean_and_noise(levels.prediction, narrow, output, level)[0]


def _leaping(levels: Levels) -> Levels:
    """Without steps at the clean end that go nowhere, over which nothing can leap."""
    while levels.steps > 1 and not levels.coefficients(levels.steps - 1)[1]:
        levels = Levels(levels.times[:-1], levels.a[:-1], levels.s[:-1], levels.prediction)
    return levels
