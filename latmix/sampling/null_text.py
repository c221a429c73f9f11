"""Null-text inversion: an unconditional embedding for each step, so that guidance retraces a path.

Pictures are inverted at guidance 1, where that is exact. Then, from the noise on, the unconditional
embedding of each step is optimised until the guided step lands where the path at guidance 1 went.

Source: Mokady et al. 2211.09794, section 3.2, with their optimiser, Adam, and its rates.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from latmix.mixing.companions import UNCONDITIONAL, Latents
from latmix.sampling import trajectory
from latmix.sampling.generators import watched
from latmix.sampling.levels import Levels, clean_and_noise
from latmix.sampling.solvers import INNER_STEPS
from latmix.sampling.trajectory import Call, Guidance, Network, Step

TOLERANCE = 3e-3
"""Distance from the path, relative to its norm, at which an embedding is good enough: 55 dB."""

RATE = 1e-2
"""Of Adam, at the first of 50 steps; at the last it is half of it. Of fewer steps each goes as much
further, up to `FASTEST`: they have the same way to go from the embedding that all start from."""

FASTEST = 0.1

GRADIENT_CALLS = 3
"""What an evaluation with its gradient costs, in evaluations."""


def invert_null_text(
    network: Network,
    clean: Tensor,
    levels: Levels,
    guidance: Guidance,
    tolerance: float,
    inner_steps: int = INNER_STEPS,
) -> Generator[Step | Call, None, Latents]:
    """Noise latents, and the embeddings with which guidance makes the clean latents of them.

    Args:
        clean: (B, C, H, W) float32.
        guidance: with the negative prompt, whose embedding the optimiser starts from.
        tolerance: of the fixed point's steps at guidance 1.

    Yields:
        as `trajectory.invert`, twice the levels' steps: up the path, and down again.

    Raises:
        ValueError: there is no unconditional branch.
    """
    if guidance.negative is None:
        raise ValueError("guidance: null-text needs a negative prompt, if only an empty one.")
    path, total = [clean], 2 * levels.steps

    def tell(seen: Step | Call) -> Step | Call:
        if isinstance(seen, Step) and seen.state is not None:
            path.append(seen.state)
        return replace(seen, total=total)

    up = trajectory.invert(network, clean, levels, Guidance(guidance.positive), tolerance=tolerance)
    noise = yield from watched(up, tell)
    state, text = noise, guidance.negative.tensors["text"].float()
    embeddings: list[Tensor] = []
    for index in range(levels.steps):
        here = Call(levels.steps + index, total)
        fit = _Fit(network, levels, guidance, index, state, path[-index - 2], text)
        yield from watched(fit.improve(inner_steps), here.told)
        (state, estimate), text = fit.landed(), fit.text
        embeddings.append(text.cpu())
        yield Step(here.done + 1, total, estimate, fit.calls)
    return Latents(noise, {UNCONDITIONAL: torch.stack(embeddings, dim=1)}, levels.steps)


@dataclass
class _Fit:
    """One guided step, from `state` at level `index` to as near to `target` as can be.

    Attributes:
        told: the network's output for the pictures' own prompts.
        text: the best embedding found, (B, tokens, width) float32; at first the one to start from.
        output: the guided output with it.
        distance: from there to the target, relative to the target's norm, (B,).
    """

    network: Network
    levels: Levels
    guidance: Guidance
    index: int
    state: Tensor
    target: Tensor
    text: Tensor
    told: Tensor = field(init=False)
    output: Tensor = field(init=False)
    distance: Tensor = field(init=False)
    calls: int = 1

    def __post_init__(self) -> None:
        self.told = self.network.predict(self.state, self._time, self.guidance.positive)
        self.output = self.told
        self.distance = torch.full_like(self.state[:, 0, 0, 0], torch.inf)

    def improve(self, inner_steps: int) -> Generator[None, None, None]:
        """Optimise the embeddings; rows do not see one another, and each has its own stop."""
        if not self._push:
            return
        trial = self.text.clone().requires_grad_()
        optimiser = torch.optim.Adam([trial], self._rate)
        rows = torch.arange(len(trial), device=trial.device)
        for _ in range(inner_steps):
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
        level = self.levels.a[self.index], self.levels.s[self.index]
        clean, _ = clean_and_noise(self.levels.prediction, self.state, self.output, level)
        return self._scale * self.state + self._push * self.output, clean

    def _tried(self, trial: Tensor, rows: Tensor) -> Tensor:
        """How far the guided output of these rows is from the one that reaches the target; what is
        better than before is kept. A half-precision network's gradients would vanish in smaller
        units than those of its output."""
        state = self.state[rows]
        negative = self.guidance.negative_with(trial, rows)
        without = self.network.predict(state, self._time, negative)
        output = without + self.guidance.scale * (self.told[rows] - without)
        wrong = output - (self.target[rows] - self._scale * state) / self._push
        with torch.no_grad():
            size = self.target[rows].flatten(1).norm(dim=1)
            distance = abs(self._push) * wrong.flatten(1).norm(dim=1) / size
            better = distance < self.distance[rows]
            kept = rows[better]
            self.output = self.output.index_copy(0, kept, output.detach()[better])
            self.text = self.text.index_copy(0, kept, trial.detach()[kept])
            self.distance = self.distance.index_copy(0, kept, distance[better])
        return wrong

    @property
    def _rate(self) -> float:
        steps = self.levels.steps
        return min(max(1.0, 50 / steps) * RATE, FASTEST) * (1 - self.index / (2 * steps))

    @property
    def _time(self) -> float:
        return self.levels.times[self.index]

    @property
    def _scale(self) -> float:
        return self.levels.coefficients(self.index)[0]

    @property
    def _push(self) -> float:
        return self.levels.coefficients(self.index)[1]
