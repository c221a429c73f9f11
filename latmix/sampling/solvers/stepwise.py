"""Solvers that invert the plain generating step, one level after another.

Source: DDIM inversion, Mokady et al. 2211.09794 section 3; fixed point, Pan et al. 2309.04907
(AIDI); negative-prompt inversion, Miyake et al. 2305.16807; shared noise, Staniszewski et al.
2410.23530.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latmix.mixing.companions import Latents
from latmix.sampling.generators import watched
from latmix.sampling.solvers.solver import PLAIN, Inverting, Solver, Task
from latmix.sampling.trajectory import Call, Step

if TYPE_CHECKING:
    from torch import Tensor

    from latmix.models.model_source import ModelSource
    from latmix.sampling.fixed_point import Solution

LIMIT = 25
"""Network calls a fixed-point step may take; all but one or two of a trajectory take 4 or 5."""

SHARED = 0.04
"""Part of a trajectory's levels that shared noise makes, at its clean end."""


class Stepwise(Solver):
    """A solver that says how one step is inverted."""

    @abstractmethod
    def solving(self, step: InverseStep, output: Tensor | None) -> Generator[int, None, Solution]:
        """Find the state that a generating step comes from, yielding between two network calls.

        Args:
            output: the network's, that carried the step before; None at the first.
        """

    def invert(self, task: Task) -> Inverting:
        noise = yield from self.walked(task, task.start)
        return Latents(noise, steps=task.levels.steps)

    def walked(
        self, task: Task, state: Tensor, made: int = 0
    ) -> Generator[Step | Call, None, Tensor]:
        """The noisiest state, from the one to which `made` steps have led."""
        levels, output = task.levels, None
        for done in range(made + 1, levels.steps + 1):
            step = InverseStep(task, state, levels.steps - done)
            call = Call(done - 1, levels.steps)
            found = yield from watched(self.solving(step, output), call.again)
            state = found.state
            # The prediction that carried the step follows from its two ends, without a call.
            carried, estimate = step.carrying(state), state
            if carried is not None:
                output = carried
                estimate, _ = levels.clean_and_noise(step.index, state, output)
            residual = float(found.residual.max()) if self.is_iterative else 0.0
            yield Step(done, levels.steps, estimate, found.calls, residual, state)
        return state


@dataclass(frozen=True)
class InverseStep:
    """The state at level `index` that the generating step takes to `cleaner`."""

    task: Task
    cleaner: Tensor
    index: int

    def output(self, state: Tensor, rows: Tensor | None = None) -> Tensor:
        """The network's for states that are these rows of the batch, or all of it."""
        time = self.task.levels.times[self.index]
        return self.task.guidance.predict(self.task.network, state, time, rows)

    def state(self, output: Tensor, rows: Tensor | None = None) -> Tensor:
        """The state that an output takes to the cleaner one."""
        cleaner = self.cleaner if rows is None else self.cleaner[rows]
        scale, push = self.task.levels.coefficients(self.index)
        return (cleaner - push * output) / scale

    def previous(self, state: Tensor, rows: Tensor) -> Tensor:
        """The map whose fixed point is sought."""
        return self.state(self.output(state, rows), rows)

    def carrying(self, state: Tensor) -> Tensor | None:
        """The output that takes this state to the cleaner one; None between two levels that are
        the same, as a schedule that ends where its last step is may have."""
        scale, push = self.task.levels.coefficients(self.index)
        return (self.cleaner - scale * state) / push if push else None


class FixedPoint(Stepwise):
    """The fixed point of z = (x' - B m(z, t)) / A, to a tolerance."""

    name = "fixed-point"
    sentence = "Inverts each generating step exactly."
    source = "Pan et al. 2309.04907"
    calls = 4.5
    is_iterative = True

    def solving(self, step: InverseStep, output: Tensor | None) -> Generator[int, None, Solution]:
        from latmix.sampling.fixed_point import solving

        # The output before as a first guess saves a call.
        start = step.cleaner if output is None else step.state(output)
        return solving(step.previous, start, step.task.tolerance, LIMIT)


class Ddim(Stepwise):
    """One evaluation at the cleaner state, as if the network's output did not change: off by
    O(1/steps)."""

    name = PLAIN
    sentence = "DDIM inversion, Euler's step in a flow: to first order."
    source = "Song et al. 2010.02502"
    calls = 1.0

    def solving(self, step: InverseStep, output: Tensor | None) -> Generator[int, None, Solution]:
        from latmix.sampling.fixed_point import solving

        return solving(step.previous, step.cleaner, tolerance=0.0, limit=1, memory=0)


class SharedNoise(Ddim):
    """DDIM inversion from `shared_levels` of forward diffusion."""

    name = "shared-noise"
    sentence = "The same noise added to every picture first, then ddim."
    source = "Staniszewski et al. 2410.23530"

    def invert(self, task: Task) -> Inverting:
        levels, clean, state = task.levels, task.start, task.start
        shared, noise = shared_levels(levels.steps), shared_noise(task.start)
        for done in range(1, shared + 1):
            a, s = levels.at(levels.steps - done)
            state = a * clean + s * noise
            yield Step(done, levels.steps, clean, calls=0, state=state)
        return Latents((yield from self.walked(task, state, shared)), steps=levels.steps)


class NegativePrompt(FixedPoint):
    """The fixed point at guidance 1; generation is guided away from what was inverted with."""

    name = "negative-prompt"
    sentence = "As fixed-point; guidance is away from the pictures' own prompts."
    source = "Miyake et al. 2305.16807"
    generates = "negative-prompt"
    replaces_negative = True

    def suits(self, source: ModelSource) -> bool:
        return source.takes_negative

    def key(self, settings: Mapping[str, object], tolerance: float) -> dict[str, object]:
        return super().key(settings, tolerance) | {"solver": FixedPoint.name}


def shared_levels(steps: int) -> int:
    """How many levels shared noise makes: at least one, and never the noisiest."""
    return min(max(1, round(SHARED * steps)), steps - 1)


def shared_noise(like: Tensor) -> Tensor:
    """The one noise (C, H, W) that every picture of this shape (B, C, H, W) is given."""
    import torch

    source = torch.Generator().manual_seed(0)
    return torch.randn(like.shape[1:], generator=source).to(like)
