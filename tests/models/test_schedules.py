"""Noise levels of every scheduler against diffusers' own."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from latmix.models.schedule import read_schedule
from latmix.sampling.levels import Levels


def theirs(steps: int, mu: float | None = None, even: bool = False, **config: Any) -> Any:
    import numpy as np
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler = FlowMatchEulerDiscreteScheduler(**config)
    if even:
        scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=mu)
    else:
        scheduler.set_timesteps(steps, mu=mu)
    return scheduler


@pytest.mark.parametrize("steps", [1, 4, 28, 50])
@pytest.mark.parametrize("shift", [1.0, 3.0])
@pytest.mark.parametrize("even", [False, True])
def test_flow_levels_are_diffusers_own(steps: int, shift: float, even: bool) -> None:
    scheduler = theirs(steps, even=even, shift=shift)
    config = {"_class_name": "FlowMatchEulerDiscreteScheduler", **scheduler.config}
    levels = Levels.of(read_schedule(config, even), steps)
    torch.testing.assert_close(torch.tensor(levels.s), scheduler.sigmas, rtol=0, atol=1e-6)
    torch.testing.assert_close(torch.tensor(levels.times), scheduler.timesteps, rtol=0, atol=1e-3)
    assert levels.prediction == "flow"
    assert all(a + s == pytest.approx(1) for a, s in zip(levels.a, levels.s, strict=True))


@pytest.mark.parametrize(("patches", "mu"), [(256, 0.5), (1024, 0.63), (4096, 1.15)])
@pytest.mark.parametrize("kind", ["exponential", "linear"])
@pytest.mark.parametrize("even", [False, True])
def test_a_shift_by_size_is_diffusers_own(patches: int, mu: float, kind: str, even: bool) -> None:
    config = {"use_dynamic_shifting": True, "time_shift_type": kind}
    scheduler = theirs(28, mu, even, **config)
    schedule = read_schedule({"_class_name": "FlowMatchEulerDiscreteScheduler", **config}, even)
    levels = Levels.of(schedule, 28, patches)
    torch.testing.assert_close(torch.tensor(levels.s), scheduler.sigmas, rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="size of the picture"):
        Levels.of(schedule, 28)


def test_the_oracles_of_stable_diffusion_3_hold() -> None:
    schedule = read_schedule({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0})
    levels = Levels.of(schedule, 28)
    assert levels.s[:3] == pytest.approx((1, 0.987381, 0.974108), abs=1e-6)
    assert levels.s[-3:] == pytest.approx((0.110906, 0.008929, 0), abs=1e-6)
    assert levels.times[1] == pytest.approx(987.3806, abs=1e-3)


@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_steps_that_do_not_fit_are_refused(steps: int) -> None:
    schedule = read_schedule({"_class_name": "FlowMatchEulerDiscreteScheduler"})
    with pytest.raises(ValueError, match="steps must be between 1 and 1000"):
        Levels.of(schedule, steps)


@pytest.mark.parametrize(
    "config",
    [
        {"_class_name": "FlowMatchEulerDiscreteScheduler", "use_karras_sigmas": True},
        {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift_terminal": 0.02},
        {"_class_name": "EDMEulerScheduler"},
        {"_class_name": "DDIMScheduler", "prediction_type": "sample"},
        {"_class_name": "DDIMScheduler", "beta_schedule": "sigmoid"},
    ],
)
def test_a_schedule_of_another_kind_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not supported"):
        read_schedule(config)
