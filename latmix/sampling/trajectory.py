"""The integrator: generate a picture's latents from noise, or find the noise they come from.

Both walk the same grid of levels. Generation is x' = A x + B m(x, t); inversion solves that same
equation for x: explicitly with one evaluation at x' (`ddim`: DDIM inversion) or to a tolerance
(`fixed-point`: the exact inverse of the generating step).

Source: DDIM inversion, Mokady et al. 2211.09794 section 3; fixed point, Pan et al.
2309.04907 (AIDI).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from latmix.models.protocol import Conditioning
from latmix.sampling.fixed_point import Solution, solve
from latmix.sampling.levels import Levels, clean_and_noise
from latmix.sampling.settings import SOLVERS

LIMIT = 25
"""Network calls a fixed-point step may take; all but one or two of a trajectory take 4 or 5."""


class Network(Protocol):
    """The one thing an integrator asks of a model."""

    def predict(self, state: Tensor, time: float, conditioning: Conditioning) -> Tensor: ...


@dataclass(frozen=True)
class Guidance:
    """Classifier-free guidance, a row a picture: m = m_u + scale (m_c - m_u).

    Source: Ho & Salimans 2207.12598, in the convention where scale 1 is the plain network.
    """

    positive: Conditioning
    negative: Conditioning | None = None
    scale: float = 1.0

    def predict(self, network: Network, state: Tensor, time: float, rows: Tensor) -> Tensor:
        """The guided output for states that are these rows of the batch."""
        positive = self.positive.rows(rows)
        if self.scale == 1.0 or self.negative is None:
            return network.predict(state, time, positive)
        both = Conditioning.stack([self.negative.rows(rows), positive])
        without, told = network.predict(torch.cat([state, state]), time, both).chunk(2)
        return without + self.scale * (told - without)


@dataclass(frozen=True)
class Step:
    """One step of a trajectory has been made.

    Attributes:
        done, total: steps.
        clean: x0_hat, (B, C, H, W): what the picture looks like from here.
        calls: network calls this step took.
        residual: the worst row's relative residual (0 for explicit steps).
    """

    done: int
    total: int
    clean: Tensor
    calls: int = 1
    residual: float = 0.0


def generate(
    network: Network, noise: Tensor, levels: Levels, guidance: Guidance
) -> Generator[Step, None, Tensor]:
    """From noise latents to clean ones.

    Args:
        noise: (B, C, H, W) float32, states at the noisiest level.

    Yields:
        a `Step` after each of `levels.steps` steps.

    Returns:
        (B, C, H, W) float32 clean latents.
    """
    state, rows = noise, torch.arange(noise.shape[0], device=noise.device)
    for index, time in enumerate(levels.times):
        output = guidance.predict(network, state, time, rows)
        clean, _ = clean_and_noise(levels.prediction, state, output, _level(levels, index))
        scale, push = levels.coefficients(index)
        state = scale * state + push * output
        yield Step(index + 1, levels.steps, clean)
    return state


def invert(
    network: Network,
    clean: Tensor,
    levels: Levels,
    guidance: Guidance,
    solver: str = "fixed-point",
    tolerance: float = 1e-5,
) -> Generator[Step, None, Tensor]:
    """From clean latents to the noise that `generate` makes them from.

    Args:
        clean: (B, C, H, W) float32.
        solver: "fixed-point" inverts each generating step to `tolerance`; "ddim" evaluates the
            network once a step and is off by O(1/steps).
        tolerance: relative residual at which a fixed-point step is solved.

    Yields:
        a `Step` after each of `levels.steps` steps.

    Returns:
        (B, C, H, W) float32 noise latents.

    Raises:
        ValueError: an unknown solver.
    """
    if solver not in SOLVERS:
        raise ValueError(f"solver must be one of {', '.join(SOLVERS)}, not {solver!r}.")
    state, exact = clean, solver == "fixed-point"
    for done, index in enumerate(reversed(range(levels.steps)), start=1):
        found = _inverse_step(network, state, levels, index, guidance, tolerance if exact else None)
        # The prediction that carried the step follows from its two ends; no extra call is needed.
        scale, push = levels.coefficients(index)
        output = (state - scale * found.state) / push
        estimate, _ = clean_and_noise(levels.prediction, found.state, output, _level(levels, index))
        state = found.state
        residual = float(found.residual.max()) if exact else 0.0
        yield Step(done, levels.steps, estimate, found.calls, residual)
    return state


def _inverse_step(
    network: Network,
    cleaner: Tensor,
    levels: Levels,
    index: int,
    guidance: Guidance,
    tolerance: float | None,
) -> Solution:
    """The state at level `index` that the generating step takes to `cleaner`."""
    scale, push = levels.coefficients(index)
    time = levels.times[index]

    def g(state: Tensor, rows: Tensor) -> Tensor:
        output = guidance.predict(network, state, time, rows)
        return (cleaner[rows] - push * output) / scale

    if tolerance is None:
        return solve(g, cleaner, tolerance=0.0, limit=1, memory=0)
    return solve(g, cleaner, tolerance, LIMIT)


def _level(levels: Levels, index: int) -> tuple[float, float]:
    return levels.a[index], levels.s[index]
