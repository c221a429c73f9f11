"""What every solver is: a class that inverts and generates, with what is to be known of it.

A new one is a subclass in a file of this folder and a line in its `__init__`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from latmix.mixing.companions import Latents
from latmix.sampling.levels import Levels
from latmix.sampling.trajectory import Call, Guidance, Network, Step

if TYPE_CHECKING:
    from torch import Tensor

    from latmix.models.model_source import ModelSource
    from latmix.models.protocol import Conditioning, Model


PLAIN = "ddim"
"""The solver of plain steps, which generate what most solvers have inverted."""


@dataclass(frozen=True)
class Task:
    """A trajectory to be walked.

    Attributes:
        start: clean latents to invert, or noise to generate from, (B, C, H, W) float32.
        tolerance: relative residual at which an implicit step is solved.
        inner_steps: of null-text's optimiser, at most, for each step.
        companions: of the noise to generate from, by name, (B, ...) each.
        found_at: the levels along which these were found.
    """

    network: Network
    start: Tensor
    levels: Levels
    guidance: Guidance
    tolerance: float = 1e-5
    inner_steps: int = 0
    companions: Mapping[str, Tensor] = field(default_factory=dict)
    found_at: Levels | None = None


Inverting = Generator[Step | Call, None, Latents]
"""Yields a `Step` after each of its steps, and a `Call` between the network's calls within one;
returns float32 noise latents, with what belongs to them."""

Generating = Generator[Step, None, "Tensor"]
"""Yields a `Step` after each of its steps; returns clean latents (B, C, H, W) float32."""


class Solver(ABC):
    """How a picture is inverted, and how what it was inverted to is generated.

    Attributes:
        name: as the user chooses it.
        sentence: what it does, for the user.
        source: who described it.
        calls: network evaluations of an inverting step, on average.
        generating_calls: of a generating one.
        generates: the solver whose steps generate what this one has inverted.
        is_iterative: its steps, or the first of them, are solved to a tolerance.
        is_fitted: what it finds is fitted to one guidance, at which its pictures come back.
        replaces_negative: it takes the negative prompt's place, and inverts at guidance 1 only.
        least_steps: it cannot do with fewer.
        companions: what it finds beside a latent, by name (`mixing.companions`).
        finds: what is said of latents with such companions.
    """

    name: ClassVar[str]
    sentence: ClassVar[str]
    source: ClassVar[str]
    calls: ClassVar[float]
    generating_calls: ClassVar[float] = 1.0
    generates: ClassVar[str] = PLAIN
    is_iterative: ClassVar[bool] = False
    is_fitted: ClassVar[bool] = False
    replaces_negative: ClassVar[bool] = False
    least_steps: ClassVar[int] = 1
    companions: ClassVar[tuple[str, ...]] = ()
    finds: ClassVar[str] = ""

    def suits(self, source: ModelSource) -> bool:
        """Whether it can invert for this model."""
        return True

    def key(self, settings: Mapping[str, object], tolerance: float) -> dict[str, object]:
        """What its latents depend on, for their key in the store: it never changes, or latents
        that are stored would not be found.

        Args:
            settings: those of inverting, as JSON.
            tolerance: of steps that are solved to one.
        """
        words = dict(settings)
        if words["guidance"] == 1.0 and not self.is_fitted:
            del words["negative"]
        return words | ({"tolerance": tolerance} if self.is_iterative else {})

    def guidance(
        self,
        model: Model,
        positive: Conditioning,
        scale: float,
        negative: str = "",
        origin: Conditioning | None = None,
    ) -> Guidance:
        """How the network is guided.

        Args:
            negative: the prompt of that name.
            origin: what the latents were inverted with, where that is not the positive.
        """
        if model.source.is_told_guidance:
            return Guidance(positive.with_guidance(scale))
        if self.replaces_negative:
            # Away from the positive itself, guidance has no effect at any scale.
            return Guidance(positive, origin, scale).without_idle()
        if not self.is_fitted and (scale == 1.0 or not model.source.takes_negative):
            return Guidance(positive)
        without = model.condition_negative([negative] * positive.count)
        guidance = Guidance(positive, without, scale)
        # Fitting starts from the negative's embedding, whatever that says.
        return guidance if self.is_fitted else guidance.without_idle()

    @abstractmethod
    def invert(self, task: Task) -> Inverting:
        """From clean latents to the noise that they are generated from."""

    def generate(self, task: Task) -> Generating:
        """From noise to clean latents: by plain steps, if it has none of its own."""
        state, levels = task.start, task.levels
        for index, time in enumerate(levels.times):
            output = task.guidance.at(index).predict(task.network, state, time)
            clean, _ = levels.clean_and_noise(index, state, output)
            state = levels.moved(index, index + 1, state, output)
            yield Step(index + 1, levels.steps, clean)
        return state

    def draft(self, task: Task, scheduler: Any) -> Generating:
        """The same in few steps, from the noise alone.

        Args:
            scheduler: of diffusers, set to its steps (`multistep.draft_scheduler`), the first of
                which is at the noise's level.
        """
        state, total = task.start, len(scheduler.timesteps)
        for done, time in enumerate(scheduler.timesteps, start=1):
            output = task.guidance.at(done - 1).predict(task.network, state, float(time))
            state = scheduler.step(output, time, state).prev_sample
            yield Step(done, total, scheduler.model_outputs[-1])
        return state
