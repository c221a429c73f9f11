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
from dataclasses import replace
from typing import TYPE_CHECKING

from latmix.mixing.companions import SECOND, Latents
from latmix.sampling.generators import watched
from latmix.sampling.levels import Levels
from latmix.sampling.solvers.solver import Generating, Inverting, Solver, Task
from latmix.sampling.solvers.stepwise import FixedPoint
from latmix.sampling.trajectory import Step

if TYPE_CHECKING:
    from torch import Tensor

DAMPING = 1.5
"""How far over a whole trajectory, as a power of e, errors that alternate die out beyond O-BELM.
Divided by the steps it is small enough to leave the order as it is."""


class Belm(Solver):
    """Pairs of latents."""

    name = "belm"
    sentence = "A pair of latents whose every step can be undone, at any guidance."
    source = "Wang et al. 2410.07273"
    calls = 1.1
    generates = "belm"
    is_iterative = True
    least_steps = 2
    companions = (SECOND,)
    finds = "latents are pairs"

    def invert(self, task: Task) -> Inverting:
        """The cleanest step is inverted by a fixed point, which the second state comes from.

        Raises:
            ValueError: there are fewer than two steps.
        """
        grid, total = _leaping(task.levels), task.levels.steps
        if grid.steps < 2:
            raise ValueError(f"steps must be at least 2 for belm, not {total}.")
        first = FixedPoint().walked(replace(task, levels=grid.last_step()), task.start)
        state = yield from watched(first, lambda seen: replace(seen, total=total))
        cleaner, middle = _wide(task.start), _wide(state)
        for index in range(grid.steps - 1, 0, -1):
            onward, back, weight, estimate = _leap(task, grid, index, middle)
            cleaner, middle = middle, back + (cleaner - onward) / weight
            yield Step(grid.steps - index + 1, total, estimate)
        return Latents(middle.float(), {SECOND: cleaner.float()}, total)

    def generate(self, task: Task) -> Generating:
        """Noise without a second latent, or with one of other steps, makes its own by a plain
        step."""
        grid, total = _leaping(task.levels), task.levels.steps
        noisier, calls = _wide(task.start), 1
        if SECOND in task.companions and task.found_at and task.found_at.steps == total:
            middle = task.companions[SECOND].to(noisier)
        else:
            output, _ = _predicted(task, grid, 0, noisier)
            middle, calls = grid.moved(0, 1, noisier, output), 2
        for index in range(1, grid.steps):
            onward, back, weight, estimate = _leap(task, grid, index, middle)
            noisier, middle = middle, onward + weight * (noisier - back)
            yield Step(index, total, estimate, calls)
            calls = 1
        yield Step(total, total, middle.float(), calls=0)
        return middle.float()


def _leap(
    task: Task, grid: Levels, index: int, state: Tensor
) -> tuple[Tensor, Tensor, float, Tensor]:
    """What a leap over a state at a level needs: S(i, i+1, x_i), S(i, i-1, x_i), g_i of O-BELM,
    damped, and x0_hat."""
    output, clean = _predicted(task, grid, index, state)
    onward = grid.moved(index, index + 1, state, output)
    back = grid.moved(index, index - 1, state, output)
    (scale, push), (back_scale, back_push) = (
        grid.coefficients(index, to) for to in (index + 1, index - 1)
    )
    weight = back_scale / scale * (push / back_push) ** 2 * math.exp(-DAMPING / grid.steps)
    return onward, back, weight, clean


def _predicted(task: Task, grid: Levels, index: int, state: Tensor) -> tuple[Tensor, Tensor]:
    """The network's output at a level, and x0_hat. The state is wider than the network's, so that
    the leaps add no rounding of their own."""
    narrow = state.float()
    output = task.guidance.predict(task.network, narrow, grid.times[index])
    return output, grid.clean_and_noise(index, narrow, output)[0]


def _wide(state: Tensor) -> Tensor:
    from latmix.mixing.blocks import precise

    return state.to(precise(state.device))


def _leaping(levels: Levels) -> Levels:
    """Without steps at the clean end that go nowhere, over which nothing can leap."""
    while levels.steps > 1 and not levels.coefficients(levels.steps - 1)[1]:
        levels = Levels(levels.times[:-1], levels.a[:-1], levels.s[:-1], levels.prediction)
    return levels
