"""Null-text inversion: an unconditional embedding for each step, so that guidance retraces a path.

Pictures are inverted at guidance 1, where that is exact. Then, from the noise on, the unconditional
embedding of each step is optimised until the guided step lands where the path at guidance 1 went.

Source: Mokady et al. 2211.09794, section 3.2, with their optimiser, Adam, and its rates.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from latmix.mixing.companions import UNCONDITIONAL, Latents
from latmix.sampling.generators import watched
from latmix.sampling.solvers.solver import Generating, Inverting, Task
from latmix.sampling.solvers.stepwise import FixedPoint
from latmix.sampling.trajectory import Call, Guidance, Step

if TYPE_CHECKING:
    from torch import Tensor

    from latmix.models.model_source import ModelSource

INNER_STEPS = 10
"""Of the optimiser, at most, for each step of the trajectory, as the paper has them."""

TOLERANCE = 3e-3
"""Distance from the path, relative to its norm, at which an embedding is good enough: 55 dB."""

RATE = 1e-2
"""Of Adam, at the first of 50 steps; at the last it is half of it. Of fewer steps each goes as much
further, up to `FASTEST`: they have the same way to go from the embedding that all start from."""

FASTEST = 0.1

GRADIENT_CALLS = 3
"""What an evaluation with its gradient costs, in evaluations."""


class NullText(FixedPoint):
    """Finds noise, and the embeddings with which guidance makes the clean latents of it."""

    name = "null-text"
    sentence = "As fixed-point; then an embedding for each step, to come back at the guidance."
    source = "Mokady et al. 2211.09794"
    calls = 30.0
    is_fitted = True
    companions = (UNCONDITIONAL,)
    finds = "latents have null-text embeddings"

    def suits(self, source: ModelSource) -> bool:
        return source.takes_negative

    def invert(self, task: Task) -> Inverting:
        """Yields twice the levels' steps: up the path, and down again.

        Raises:
            ValueError: there is no unconditional branch.
        """
        import torch

        levels, guidance = task.levels, task.guidance
        if guidance.negative is None:
            raise ValueError("guidance: null-text needs a negative prompt, if only an empty one.")
        path, total = [task.start], 2 * levels.steps

        def tell(seen: Step | Call) -> Step | Call:
            if isinstance(seen, Step) and seen.state is not None:
                path.append(seen.state)
            return replace(seen, total=total)

        up = self.walked(replace(task, guidance=Guidance(guidance.positive)), task.start)
        noise = yield from watched(up, tell)
        state, text = noise, guidance.negative.tensors["text"].float()
        embeddings: list[Tensor] = []
        for index in range(levels.steps):
            call = Call(levels.steps + index, total)
            fit = _Fit(task, index, state, path[-index - 2], text)
            yield from watched(fit.improve(), call.again)
            (state, estimate), text = fit.landed(), fit.text
            embeddings.append(text.cpu())
            yield Step(call.done + 1, total, estimate, fit.calls)
        return Latents(noise, {UNCONDITIONAL: torch.stack(embeddings, dim=1)}, levels.steps)

    def generate(self, task: Task) -> Generating:
        return (yield from super().generate(_fitted(task, task.levels.times)))

    def draft(self, task: Task, scheduler: Any) -> Generating:
        fitted = _fitted(task, scheduler.timesteps.tolist())
        return (yield from super().draft(fitted, scheduler))


def _fitted(task: Task, times: Sequence[float]) -> Task:
    """A task guided by the embeddings that were found nearest to the times of its steps.

    Raises:
        ValueError: it is not said for which steps they were found.
    """
    if task.found_at is None:
        raise ValueError("latents: how many steps their embeddings are for must be given.")
    text = task.companions[UNCONDITIONAL][:, task.found_at.nearest(times)]
    return replace(task, guidance=replace(task.guidance, unconditional=text))


@dataclass
class _Fit:
    """One guided step, from `state` at level `index` to as near to `target` as can be.

    Attributes:
        text: the best embedding found, (B, tokens, width) float32; at first the one to start from.
        conditional: the network's output for the pictures' own prompts.
        output: the guided output with it.
        distance: from there to the target, relative to the target's norm, (B,).
    """

    task: Task
    index: int
    state: Tensor
    target: Tensor
    text: Tensor
    conditional: Tensor = field(init=False)
    output: Tensor = field(init=False)
    distance: Tensor = field(init=False)
    calls: int = 1

    def __post_init__(self) -> None:
        network, positive = self.task.network, self.task.guidance.positive
        self.conditional = network.predict(self.state, self._time, positive)
        self.output = self.conditional
        self.distance = self.state.new_full((len(self.state),), float("inf"))

    def improve(self) -> Generator[None, None, None]:
        """Optimise the embeddings; rows do not see one another, and each has its own stop."""
        import torch

        if not self._step[1]:
            return
        trial = self.text.clone().requires_grad_()
        steps = self.task.levels.steps
        rate = min(max(1.0, 50 / steps) * RATE, FASTEST) * (1 - self.index / (2 * steps))
        optimiser = torch.optim.Adam([trial], rate)
        rows = torch.arange(len(trial), device=trial.device)
        for _ in range(self.task.inner_steps):
            wrong = self._tried(trial, rows)
            self.calls += GRADIENT_CALLS
            going = self.distance[rows] > TOLERANCE
            if not bool(going.any()):
                return
            optimiser.zero_grad()
            torch.autograd.backward(wrong[going].square().sum() / 2)
            optimiser.step()
            rows = rows[going]
            yield
        self._tried(trial.detach(), rows)
        self.calls += 1

    def landed(self) -> tuple[Tensor, Tensor]:
        """Where the step with the embeddings found goes, and its x0_hat, (B, C, H, W)."""
        levels = self.task.levels
        clean, _ = levels.clean_and_noise(self.index, self.state, self.output)
        return levels.moved(self.index, self.index + 1, self.state, self.output), clean

    def _tried(self, trial: Tensor, rows: Tensor) -> Tensor:
        """How far the guided output of these rows is from the one that reaches the target; what is
        better than before is kept. A half-precision network's gradients would vanish in smaller
        units than those of its output."""
        guidance, (scale, push) = self.task.guidance, self._step
        state, target = self.state[rows], self.target[rows]
        negative = guidance.negative_with(trial, rows)
        without = self.task.network.predict(state, self._time, negative)
        output = without + guidance.scale * (self.conditional[rows] - without)
        wrong = output - (target - scale * state) / push
        size = target.flatten(1).norm(dim=1)
        distance = abs(push) * wrong.detach().flatten(1).norm(dim=1) / size
        better = distance < self.distance[rows]
        kept = rows[better]
        self.output = self.output.index_copy(0, kept, output.detach()[better])
        self.text = self.text.index_copy(0, kept, trial.detach()[kept])
        self.distance = self.distance.index_copy(0, kept, distance[better])
        return wrong

    @property
    def _time(self) -> float:
        return self.task.levels.times[self.index]

    @property
    def _step(self) -> tuple[float, float]:
        """A and B of x' = A x + B m."""
        return self.task.levels.coefficients(self.index)
