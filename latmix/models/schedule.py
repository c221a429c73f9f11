"""The noise schedule a network was trained with, read from its scheduler's JSON. Needs no torch.

Convention: x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) eps, t = 0 .. T-1, noise growing with t.
Only what the network and its grid of timesteps need is taken; the scheduler's class (PNDM, Euler,
DPM++, DDIM) does not matter, since latmix integrates by itself. Values are float64.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass

from latmix.models.flow_schedule import FlowSchedule, Grid, line

PREDICTIONS = ("epsilon", "v_prediction")
SPACINGS = ("leading", "trailing", "linspace")


@dataclass(frozen=True)
class Schedule:
    """A variance-preserving noise schedule.

    Attributes:
        alphas_cumprod: abar_t for t = 0 .. T-1.
        prediction: what the network returns: epsilon or v_prediction.
        spacing: how a number of steps picks timesteps: leading, trailing or linspace.
        offset: added to every timestep under leading spacing.
        final_alpha_cumprod: abar of the clean end of a trajectory.
    """

    alphas_cumprod: tuple[float, ...]
    prediction: str = "epsilon"
    spacing: str = "leading"
    offset: int = 0
    final_alpha_cumprod: float = 1.0

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> Schedule:
        """The schedule of a diffusers scheduler's config.

        Raises:
            ValueError: a beta schedule, prediction or spacing that is not known.
        """
        prediction = str(config.get("prediction_type", "epsilon"))
        spacing = str(config.get("timestep_spacing", "leading"))
        for value, known in ((prediction, PREDICTIONS), (spacing, SPACINGS)):
            if value not in known:
                raise ValueError(
                    f"scheduler: {value!r} is not supported; known: {', '.join(known)}."
                )
        kept = [1.0 - beta for beta in _betas(config)]
        cumulative = list(itertools.accumulate(kept, operator.mul))
        if config.get("rescale_betas_zero_snr"):
            if prediction == "epsilon":
                raise ValueError("scheduler: epsilon prediction says nothing at zero terminal SNR.")
            cumulative = _zero_terminal_snr(cumulative)
        # PNDM is the one scheduler that ends at abar_0 when its config does not say.
        ends_at_one = config.get("set_alpha_to_one", config.get("_class_name") != "PNDMScheduler")
        return cls(
            alphas_cumprod=tuple(cumulative),
            prediction=prediction,
            spacing=spacing,
            offset=int(str(config.get("steps_offset", 0))),
            final_alpha_cumprod=1.0 if ends_at_one else cumulative[0],
        )

    @property
    def length(self) -> int:
        """T, the number of training timesteps."""
        return len(self.alphas_cumprod)

    def timesteps(self, steps: int) -> tuple[int, ...]:
        """The timesteps of a trajectory, from the noisiest to the cleanest.

        Raises:
            ValueError: `steps` is not between 1 and what the schedule has room for.
        """
        total = self.length
        most = total - 1 if self.spacing == "leading" and self.offset else total
        if not 1 <= steps <= most:
            raise ValueError(f"steps must be between 1 and {most}, not {steps}.")
        if self.spacing == "leading":
            stride = total // steps
            return tuple(i * stride + self.offset for i in reversed(range(steps)))
        if self.spacing == "trailing":
            return tuple(round(total - i * total / steps) - 1 for i in range(steps))
        if steps == 1:
            return (0,)
        return tuple(round(i * (total - 1) / (steps - 1)) for i in reversed(range(steps)))

    def levels(self, steps: int, patches: int | None = None) -> Grid:
        """The grid of a number of steps; how many patches a picture has changes nothing.

        Raises:
            ValueError: as `timesteps`.
        """
        times = self.timesteps(steps)
        kept = [self.alphas_cumprod[t] for t in times] + [self.final_alpha_cumprod]
        return times, tuple(map(math.sqrt, kept)), tuple(math.sqrt(1 - value) for value in kept)


NoiseSchedule = Schedule | FlowSchedule
"""Of diffusion or of flow: `prediction` is what the network returns, `length` T, the number of
training timesteps, `spacing` how a number of steps picks levels, in words, and `levels` gives the
`Grid` of these."""


def read_schedule(config: Mapping[str, object], is_even: bool = False) -> NoiseSchedule:
    """The schedule of a diffusers scheduler's config.

    Args:
        is_even: as `FlowSchedule` has it.

    Raises:
        ValueError: something in it is not supported.
    """
    name = str(config.get("_class_name", ""))
    if name.startswith("FlowMatch"):
        return FlowSchedule.from_config(config, is_even)
    if name.startswith(("EDM", "VQ", "CM", "TCD", "LCM")):
        raise ValueError(f"scheduler: {name} is not supported.")
    return Schedule.from_config(config)


def _betas(config: Mapping[str, object]) -> list[float]:
    trained = config.get("trained_betas")
    if isinstance(trained, (list, tuple)):
        return [float(beta) for beta in trained]
    total = int(str(config.get("num_train_timesteps", 1000)))
    start = float(str(config.get("beta_start", 0.0001)))
    end = float(str(config.get("beta_end", 0.02)))
    kind = config.get("beta_schedule", "linear")
    if kind == "linear":
        return line(start, end, total)
    if kind == "scaled_linear":
        return [root * root for root in line(math.sqrt(start), math.sqrt(end), total)]
    if kind == "squaredcos_cap_v2":
        level = [math.cos((i / total + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(total + 1)]
        return [min(1 - after / before, 0.999) for before, after in itertools.pairwise(level)]
    raise ValueError(f"scheduler: beta schedule {kind!r} is not supported.")


def _zero_terminal_snr(cumulative: list[float]) -> list[float]:
    """Shift and scale sqrt(abar) so that it ends at 0 (Lin et al. 2305.08891, algorithm 1)."""
    roots = [math.sqrt(value) for value in cumulative]
    first, last = roots[0], roots[-1]
    return [((root - last) * first / (first - last)) ** 2 for root in roots]
