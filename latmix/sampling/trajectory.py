"""The integrator: generate a picture's latents from noise, or find the noise they come from.

Both walk the same grid of levels. Generation is x' = A x + B m(x, t); inversion solves that same
equation for x: explicitly with one evaluation at x' (`ddim`: DDIM inversion) or to a tolerance
(`fixed-point`: the exact inverse of the generating step). A rectified flow can also be walked by
midpoint steps, the same way up and down (`midpoint`, `fireflow`).

Source: DDIM inversion, Mokady et al. 2211.09794 section 3; fixed point, Pan et al. 2309.04907
(AIDI); midpoint, the order-2 RF-Solver of Wang et al. 2411.04746, which is the same rule;
fireflow, Deng et al. 2412.07517; shared noise, Staniszewski et al. 2410.23530; renoise as in
`latmix.sampling.renoise`.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from latmix.models.protocol import Conditioning
from latmix.sampling.fixed_point import Solution, solve, solving
from latmix.sampling.generators import watched
from latmix.sampling.levels import Levels, clean_and_noise
from latmix.sampling.renoise import renoising
from latmix.sampling.shared_noise import shared_levels, shared_noise
from latmix.sampling.solvers import DEFAULT_SOLVER, find_solver

LIMIT = 25
"""Network calls a fixed-point step may take; all but one or two of a trajectory take 4 or 5."""


class Network(Protocol):
    """The one thing an integrator asks of a model."""

    def predict(self, state: Tensor, time: float, conditioning: Conditioning) -> Tensor: ...


@dataclass(frozen=True)
class Guidance:
    """Classifier-free guidance, a row a picture: m = m_u + scale (m_c - m_u).

    Attributes:
        unconditional: null-text's embedding for each step, (B, steps, tokens, width), which takes
            the place of the negative's.

    Source: Ho & Salimans 2207.12598, in the convention where scale 1 is the plain network.
    """

    positive: Conditioning
    negative: Conditioning | None = None
    scale: float = 1.0
    unconditional: Tensor | None = None

    def at(self, step: int) -> Guidance:
        """That of one step."""
        if self.unconditional is None or self.negative is None:
            return self
        every = torch.arange(self.negative.count)
        negative = self.negative_with(self.unconditional[:, step], every)
        return replace(self, negative=negative, unconditional=None)

    def negative_with(self, text: Tensor, rows: Tensor) -> Conditioning:
        """The negative of these rows of the batch, with other embeddings (B, tokens, width).

        Raises:
            ValueError: there is no negative.
        """
        if self.negative is None:
            raise ValueError("guidance: there is no negative prompt.")
        told = self.negative.rows(rows)
        like = told.tensors["text"].device
        return Conditioning({**told.tensors, "text": text[rows.to(text.device)].to(like)})

    def without_idle(self) -> Guidance:
        """The same, without a negative that says what the positive says: it would have no effect,
        as with the empty prompt on both sides. Waits for the device."""
        if self.negative is None or self.unconditional is not None:
            return self
        return Guidance(self.positive) if self.negative.says(self.positive) else self

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
        state: (B, C, H, W) after the step, where it can be had.
    """

    done: int
    total: int
    clean: Tensor
    calls: int = 1
    residual: float = 0.0
    state: Tensor | None = None


@dataclass(frozen=True)
class Call:
    """The network was called within a step that is not made yet.

    Attributes:
        done, total: steps made, and of the trajectory.
    """

    done: int
    total: int

    def told(self, _: object) -> Call:
        return self


def generate(
    network: Network,
    noise: Tensor,
    levels: Levels,
    guidance: Guidance,
    solver: str = "ddim",
) -> Generator[Step, None, Tensor]:
    """From noise latents to clean ones.

    Args:
        noise: (B, C, H, W) float32, states at the noisiest level.
        solver: whose steps to take: that of the inversion (`Solver.generates`).

    Yields:
        a `Step` after each of `levels.steps` steps.

    Returns:
        (B, C, H, W) float32 clean latents.
    """
    if find_solver(solver).is_for_flows:
        return (yield from _flow(network, noise, levels, guidance, solver, ascending=False))
    state, rows = noise, torch.arange(noise.shape[0], device=noise.device)
    for index, time in enumerate(levels.times):
        output = guidance.at(index).predict(network, state, time, rows)
        clean, _ = clean_and_noise(levels.prediction, state, output, levels.at(index))
        scale, push = levels.coefficients(index)
        state = scale * state + push * output
        yield Step(index + 1, levels.steps, clean)
    return state


def invert(
    network: Network,
    clean: Tensor,
    levels: Levels,
    guidance: Guidance,
    solver: str = DEFAULT_SOLVER,
    tolerance: float = 1e-5,
) -> Generator[Step | Call, None, Tensor]:
    """From clean latents to the noise that `generate` makes them from.

    Args:
        clean: (B, C, H, W) float32.
        solver: "fixed-point" inverts each generating step to `tolerance`; "ddim" evaluates the
            network once a step and is off by O(1/steps); "midpoint" and "fireflow", of flows only,
            are off by O(1/steps^2); "shared-noise" is "ddim" from `shared_levels` of forward
            diffusion; "renoise" gives up some of the round trip for latents like noise.
        tolerance: relative residual at which a fixed-point step is solved.

    Yields:
        a `Step` after each of `levels.steps` steps, and a `Call` between the calls within one.

    Returns:
        (B, C, H, W) float32 noise latents.

    Raises:
        ValueError: an unknown solver.
    """
    if find_solver(solver).is_for_flows:
        return (yield from _flow(network, clean, levels, guidance, solver, ascending=True))
    is_iterative = find_solver(solver).is_iterative
    shared = shared_levels(levels.steps) if solver == "shared-noise" else 0
    state: Tensor = clean
    output: Tensor | None = None
    for done, index in enumerate(reversed(range(levels.steps)), start=1):
        if done <= shared:
            state = levels.a[index] * clean + levels.s[index] * shared_noise(clean)
            yield Step(done, levels.steps, clean, calls=0, state=state)
            continue
        step, here = (
            _InverseStep(network, state, levels, index, guidance),
            Call(done - 1, levels.steps),
        )
        if is_iterative:
            found = yield from watched(step.solving(output, tolerance), here.told)
        elif solver == "renoise":
            found = yield from watched(step.renoising(clean), here.told)
        else:
            found = step.explicit()
        # The prediction that carried the step follows from its two ends; no extra call is needed.
        carried, estimate = step.output(found.state), found.state
        if carried is not None:
            output, level = carried, levels.at(index)
            estimate, _ = clean_and_noise(levels.prediction, found.state, output, level)
        state = found.state
        residual = float(found.residual.max()) if is_iterative else 0.0
        yield Step(done, levels.steps, estimate, found.calls, residual, state)
    return state


def _flow(
    network: Network,
    start: Tensor,
    levels: Levels,
    guidance: Guidance,
    solver: str,
    *,
    ascending: bool,
) -> Generator[Step, None, Tensor]:
    """Midpoint steps of a rectified flow: x' = x + h v(x + h/2 v), h the change of noise level.

    The inner v is v(x) (`midpoint`) or the last step's outer one (`fireflow`).

    Args:
        ascending: from the picture to noise.

    Raises:
        ValueError: the levels are not a flow's.
    """
    if levels.prediction != "flow":
        raise ValueError(f"solver {solver} is for flows, not for {levels.prediction}.")
    nodes = list(zip((*levels.times, 0.0), levels.s, strict=True))
    if ascending:
        nodes.reverse()
    state, rows = start, torch.arange(start.shape[0], device=start.device)
    slope: Tensor | None = None
    for done, ((time, noise), (time2, noise2)) in enumerate(itertools.pairwise(nodes), start=1):
        calls = 1
        if slope is None or solver == "midpoint":
            slope = guidance.predict(network, state, time, rows)
            calls = 2
        middle = state + (noise2 - noise) / 2 * slope
        slope = guidance.predict(network, middle, (time + time2) / 2, rows)
        state = state + (noise2 - noise) * slope
        yield Step(done, levels.steps, middle - (noise + noise2) / 2 * slope, calls)
    return state


@dataclass(frozen=True)
class _InverseStep:
    """The state at level `index` that the generating step takes to `cleaner`."""

    network: Network
    cleaner: Tensor
    levels: Levels
    index: int
    guidance: Guidance

    def explicit(self) -> Solution:
        """One evaluation at the cleaner state, as if the network's output did not change."""
        return solve(self._previous, self.cleaner, tolerance=0.0, limit=1, memory=0)

    def solving(self, output: Tensor | None, tolerance: float) -> Generator[int, None, Solution]:
        """The fixed point; with the step before's output as a first guess it takes a call less."""
        start = self.cleaner if output is None else self._state(self.cleaner, output)
        return solving(self._previous, start, tolerance, LIMIT)

    def renoising(self, clean: Tensor) -> Generator[int, None, Solution]:
        """The mean of predictions at states that come nearer, kept like noise."""
        prediction, level = self.levels.prediction, self.levels.at(self.index)
        rows = torch.arange(clean.shape[0], device=clean.device)
        noised = level[0] * clean + level[1] * shared_noise(clean)
        _, like = clean_and_noise(prediction, noised, self._output(noised, rows), level)

        def noise_at(state: Tensor) -> Tensor:
            output = self._output(state, rows)
            return clean_and_noise(prediction, self._state(self.cleaner, output), output, level)[1]

        def state_of(noise: Tensor) -> Tensor:
            a, s = self.levels.at(self.index + 1)
            return level[0] / a * (self.cleaner - s * noise) + level[1] * noise

        return renoising(noise_at, state_of, self.cleaner, like)

    def output(self, state: Tensor) -> Tensor | None:
        """The network's output that takes this state to the cleaner one; None between two levels
        that are the same, as a schedule that ends where its last step is may have."""
        scale, push = self.levels.coefficients(self.index)
        return (self.cleaner - scale * state) / push if push else None

    def _previous(self, state: Tensor, rows: Tensor) -> Tensor:
        return self._state(self.cleaner[rows], self._output(state, rows))

    def _output(self, state: Tensor, rows: Tensor) -> Tensor:
        time = self.levels.times[self.index]
        return self.guidance.predict(self.network, state, time, rows)

    def _state(self, cleaner: Tensor, output: Tensor) -> Tensor:
        scale, push = self.levels.coefficients(self.index)
        return (cleaner - push * output) / scale
