"""Midpoint steps of a rectified flow, the same way up and down: x' = x + h v(x + h/2 v).

h is the change of the noise level. Off by O(1/steps^2). Source: the order-2 RF-Solver of Wang et
al. 2411.04746, which is the same rule; fireflow, Deng et al. 2412.07517.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, ClassVar

from latmix.mixing.companions import Latents
from latmix.sampling.solvers.solver import Generating, Inverting, Solver, Task
from latmix.sampling.trajectory import Step

if TYPE_CHECKING:
    from latmix.models.model_source import ModelSource


class Midpoint(Solver):
    """The inner v is v(x)."""

    name = "midpoint"
    sentence = "Midpoint steps both ways, to second order; for flows."
    source = "RF-Solver, Wang et al. 2411.04746"
    calls = 2.0
    generating_calls = 2.0
    generates = "midpoint"
    reuses: ClassVar[bool] = False
    """Whether the inner v is the last step's outer one."""

    def suits(self, source: ModelSource) -> bool:
        return source.schedule.prediction == "flow"

    def invert(self, task: Task) -> Inverting:
        return Latents((yield from self._walked(task, -1)), steps=task.levels.steps)

    def generate(self, task: Task) -> Generating:
        return (yield from self._walked(task, 1))

    def _walked(self, task: Task, direction: int) -> Generating:
        levels, network, guidance = task.levels, task.network, task.guidance
        if levels.prediction != "flow":
            raise ValueError(f"solver {self.name} is for flows, not for {levels.prediction}.")
        nodes = list(zip((*levels.times, 0.0), levels.s, strict=True))[::direction]
        state, slope = task.start, None
        for done, ((time, noise), (time2, noise2)) in enumerate(itertools.pairwise(nodes), start=1):
            calls = 1
            if slope is None or not self.reuses:
                slope, calls = guidance.predict(network, state, time), 2
            middle = state + (noise2 - noise) / 2 * slope
            slope = guidance.predict(network, middle, (time + time2) / 2)
            state = state + (noise2 - noise) * slope
            yield Step(done, levels.steps, middle - (noise + noise2) / 2 * slope, calls)
        return state


class FireFlow(Midpoint):
    """The inner v is the last step's outer one."""

    name = "fireflow"
    sentence = "Midpoint steps both ways at half the cost; for flows."
    source = "Deng et al. 2412.07517"
    calls = 1.0
    generating_calls = 1.0
    generates = "fireflow"
    reuses = True
