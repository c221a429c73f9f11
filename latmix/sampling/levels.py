"""The noise levels of a trajectory and the one deterministic step between two of them.

A state is x = a x0 + s eps. Every prediction (epsilon, v, flow) gives the pair (x0_hat, eps_hat),
and the step from (a, s) to (a', s') is x' = a' x0_hat + s' eps_hat, which in terms of the network's
output m is x' = A x + B m. Sources: DDIM, Song et al. 2010.02502 eq. 12 with eta = 0; v prediction,
Salimans & Ho 2202.00512; rectified flow (the step is Euler's), Liu et al. 2209.03003.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from latmix.models.schedule import NoiseSchedule


@dataclass(frozen=True)
class Levels:
    """A grid of noise levels, noisiest first.

    Attributes:
        times: what the network is told at each of the K noisy levels.
        a: scale of the picture at the K + 1 levels, the last being the clean end.
        s: scale of the noise there.
        prediction: what the network returns: epsilon, v_prediction or flow.
    """

    times: tuple[float, ...]
    a: tuple[float, ...]
    s: tuple[float, ...]
    prediction: str

    @classmethod
    def of(cls, schedule: NoiseSchedule, steps: int, patches: int | None = None) -> Levels:
        """The levels of a schedule for a number of steps, consecutive timesteps being neighbours.

        Args:
            patches: of a picture (`ModelSource.patches`); some flows shift their levels by it.

        Raises:
            ValueError: the schedule has no room for that many steps.
        """
        return cls(*schedule.levels(steps, patches), schedule.prediction)

    @property
    def steps(self) -> int:
        return len(self.times)

    def at(self, index: int) -> tuple[float, float]:
        """(a, s) of a level."""
        return self.a[index], self.s[index]

    def nearest(self, times: Sequence[float]) -> list[int]:
        """For each of some times the noisy level of these that is nearest."""
        return [
            min(range(self.steps), key=lambda index: abs(self.times[index] - time))
            for time in times
        ]

    def coefficients(self, index: int, to: int | None = None) -> tuple[float, float]:
        """A and B of the step x' = A x + B m from level `index` to another, or to the next one, in
        either direction."""
        (a, s), (a2, s2) = self.at(index), self.at(index + 1 if to is None else to)
        if self.prediction == "epsilon":
            return a2 / a, s2 - s * a2 / a
        if self.prediction == "v_prediction":
            return a * a2 + s * s2, s2 * a - a2 * s
        return 1.0, s2 - s

    def moved(self, index: int, to: int, state: Tensor, output: Tensor) -> Tensor:
        """The state at level `to` that the plain step from level `index` takes a state there to.

        Args:
            output: the network's, for that state.
        """
        scale, push = self.coefficients(index, to)
        return scale * state + push * output

    def clean_and_noise(self, index: int, state: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
        """(x0_hat, eps_hat) of a state at a level and the network's output m for it."""
        a, s = self.at(index)
        if self.prediction == "epsilon":
            return (state - s * output) / a, output
        if self.prediction == "v_prediction":
            return a * state - s * output, s * state + a * output
        return state - s * output, state + (1 - s) * output

    def last_step(self) -> Levels:
        """The cleanest step alone."""
        return Levels(self.times[-1:], self.a[-2:], self.s[-2:], self.prediction)
