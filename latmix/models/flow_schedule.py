"""The noise levels of a rectified flow, read from its scheduler's JSON. Needs no torch.

Convention: x_s = (1 - s) x0 + s eps, s from 1 (noise) to 0 (picture); the network is told T s and
returns the velocity eps - x0. Source: Esser et al. 2403.03206, section 5.3.2 for the shift; the
grid is that of the published pipelines, their quirks included, so that latents mean the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

UNSUPPORTED = (
    "use_karras_sigmas",
    "use_exponential_sigmas",
    "use_beta_sigmas",
    "invert_sigmas",
    "shift_terminal",
    "stochastic_sampling",
)
"""Settings that would make another grid, or noise within it."""


Grid = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]
"""What the network is told at the levels of a trajectory, noisiest first, and the scales of picture
and noise (a, s) at these and at the clean end."""


@dataclass(frozen=True)
class FlowSchedule:
    """How a number of steps picks noise levels.

    Attributes:
        length: T, what the network's time is scaled to.
        shift: s -> shift s / (1 + (shift - 1) s), where it does not depend on the size.
        by_size: the shift depends on the number of patches of a picture.
        shifts, patches: where it does: mu at two numbers of patches; mu is linear between them.
        is_exponential: then s -> e^mu / (e^mu + 1/s - 1), else mu / (mu + 1/s - 1).
        is_even: levels fall evenly to 1/steps before the shift, else to the shifted 1/T.
    """

    length: int = 1000
    shift: float = 1.0
    by_size: bool = False
    shifts: tuple[float, float] = (0.5, 1.15)
    patches: tuple[int, int] = (256, 4096)
    is_exponential: bool = True
    is_even: bool = False
    prediction: str = "flow"

    @classmethod
    def from_config(cls, config: Mapping[str, object], is_even: bool = False) -> FlowSchedule:
        """The schedule of a FlowMatchEulerDiscreteScheduler's config.

        Raises:
            ValueError: a setting that would make another grid.
        """
        for name in UNSUPPORTED:
            if config.get(name):
                raise ValueError(f"scheduler: {name} is not supported.")

        def number(name: str, default: float) -> float:
            return float(str(config.get(name, default)))

        return cls(
            length=int(number("num_train_timesteps", 1000)),
            shift=number("shift", 1.0),
            by_size=bool(config.get("use_dynamic_shifting")),
            shifts=(number("base_shift", 0.5), number("max_shift", 1.15)),
            patches=(
                int(number("base_image_seq_len", 256)),
                int(number("max_image_seq_len", 4096)),
            ),
            is_exponential=config.get("time_shift_type", "exponential") == "exponential",
            is_even=is_even,
        )

    @property
    def spacing(self) -> str:
        """How levels are spaced, in words."""
        return "shifted by the size" if self.by_size else f"shifted by {self.shift:g}"

    def levels(self, steps: int, patches: int | None = None) -> Grid:
        """The grid of a number of steps.

        Args:
            patches: of a picture, width times height; needed where the shift depends on them.

        Raises:
            ValueError: `steps` is not between 1 and T, or the patches are needed and not given.
        """
        if not 1 <= steps <= self.length:
            raise ValueError(f"steps must be between 1 and {self.length}, not {steps}.")
        if self.by_size:
            if patches is None:
                raise ValueError("patches: this schedule depends on the size of the picture.")
            (low, high), (few, many) = self.shifts, self.patches
            mu = low + (patches - few) * (high - low) / (many - few)
            weight = math.exp(mu) if self.is_exponential else mu
            last = 1 / steps if self.is_even else 1 / self.length
            noise = [weight / (weight + 1 / s - 1) for s in line(1.0, last, steps)]
        else:
            # The published scheduler shifts its ends, and then all between them once more.
            last = 1 / steps if self.is_even else self._shifted(1 / self.length)
            noise = [self._shifted(s) for s in line(1.0, last, steps)]
        times = tuple(self.length * s for s in noise)
        return times, tuple(1 - s for s in [*noise, 0.0]), (*noise, 0.0)

    def _shifted(self, s: float) -> float:
        return self.shift * s / (1 + (self.shift - 1) * s)


def line(start: float, end: float, count: int) -> list[float]:
    """Numbers evenly from one to another, both among them."""
    return [start + (end - start) * i / max(1, count - 1) for i in range(count)]
