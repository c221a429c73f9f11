"""An inverse step by renoising: predictions at one and the same level, averaged, kept like noise.

The state that a generating step comes from is noised again and again, each time by what the network
predicts at the state found before. The mean of the last predictions is then moved towards noise:
by the gradient of its correlations, and of how far its patches are from those of the prediction
for the picture with true noise added. A picture does not come back exactly; its latent is more
like the noise that a model starts from.

Source: ReNoise, Garibi et al. 2403.14602, algorithm 1, with the noise of the model's own step (no
noise correction).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from latmix.sampling.solvers.stepwise import InverseStep, Stepwise, shared_noise

if TYPE_CHECKING:
    from torch import Tensor

    from latmix.sampling.fixed_point import Solution

ESTIMATES = 4
"""Predictions for a step, the first of them at the cleaner state."""

AVERAGED = 2
"""Of them, the last ones."""


class Renoise(Stepwise):
    """Gives up some of the round trip for latents like noise."""

    name = "renoise"
    sentence = "Renoises every step, averages, and moves what it adds towards noise."
    source = "ReNoise, Garibi et al. 2403.14602"
    calls = ESTIMATES + 1.0  # one for true noise

    def solving(self, step: InverseStep, output: Tensor | None) -> Generator[int, None, Solution]:
        import torch

        from latmix.sampling.fixed_point import Solution
        from latmix.sampling.whitening import whitened

        levels, clean = step.task.levels, step.task.start
        a, s = levels.at(step.index)
        cleaner_a, cleaner_s = levels.at(step.index + 1)

        def predicted(state: Tensor, output: Tensor) -> Tensor:
            return levels.clean_and_noise(step.index, state, output)[1]

        def renoised(noise: Tensor) -> Tensor:
            """The state that holds this noise and steps to the cleaner one."""
            return a / cleaner_a * (step.cleaner - cleaner_s * noise) + s * noise

        truly_noised = a * clean + s * shared_noise(clean)
        reference = predicted(truly_noised, step.output(truly_noised))
        state, kept = step.cleaner, []
        for calls in range(1, ESTIMATES + 1):
            yield calls
            output = step.output(state)
            kept.append(predicted(step.state(output), output))
            state = renoised(kept[-1])
        mean = torch.stack(kept[-AVERAGED:]).mean(dim=0)
        state = renoised(whitened(mean, reference))
        return Solution(state, state.new_zeros(len(state)), ESTIMATES + 1)
