"""What a trajectory is walked with, and what is told on the way.

A solver (`latmix.sampling.solvers`) walks a grid of levels: generation takes x to
x' = A x + B m(x, t), and inversion solves the same equation for x. The network's output m is
guided here. Importing it loads no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from latmix.models.protocol import Conditioning


class Network(Protocol):
    """The one thing an integrator asks of a model."""

    def predict(self, state: Tensor, time: float, conditioning: Conditioning) -> Tensor: ...


@dataclass(frozen=True)
class Guidance:
    """Classifier-free guidance, a row a picture: m = m_u + scale (m_c - m_u).

    Attributes:
        unconditional: null-text's embedding for each step, (B, steps, tokens, width), which takes
            the place of the negative's.

    Source: Ho & Salimans 2207.12598, in the convention where scale 1 is the plain network.
    """

    positive: Conditioning
    negative: Conditioning | None = None
    scale: float = 1.0
    unconditional: Tensor | None = None

    def at(self, step: int) -> Guidance:
        """That of one step."""
        if self.unconditional is None or self.negative is None:
            return self
        negative = self.negative_with(self.unconditional[:, step])
        return replace(self, negative=negative, unconditional=None)

    def negative_with(self, text: Tensor, rows: Tensor | None = None) -> Conditioning:
        """The negative with other embeddings, (B, tokens, width), of these rows alone or of all.

        Raises:
            ValueError: there is no negative.
        """
        if self.negative is None:
            raise ValueError("guidance: there is no negative prompt.")
        negative = _rows(self.negative, rows)
        text = text if rows is None else text[rows.to(text.device)]
        return replace(
            negative, tensors={**negative.tensors, "text": text.to(negative.tensors["text"].device)}
        )

    def without_idle(self) -> Guidance:
        """The same, without a negative that says what the positive says: it would have no effect,
        as with the empty prompt on both sides. Waits for the device."""
        if self.negative is None or self.unconditional is not None:
            return self
        return Guidance(self.positive) if self.negative.says(self.positive) else self

    def predict(
        self, network: Network, state: Tensor, time: float, rows: Tensor | None = None
    ) -> Tensor:
        """The guided output for states that are these rows of the batch, or all of it."""
        positive = _rows(self.positive, rows)
        if self.scale == 1.0 or self.negative is None:
            return network.predict(state, time, positive)
        both = positive.stack([_rows(self.negative, rows), positive])
        without, with_prompt = network.predict(state.repeat(2, 1, 1, 1), time, both).chunk(2)
        return without + self.scale * (with_prompt - without)


def _rows(conditioning: Conditioning, rows: Tensor | Sequence[int] | None) -> Conditioning:
    return conditioning if rows is None else conditioning.rows(rows)


@dataclass(frozen=True)
class Step:
    """One step of a trajectory has been made.

    Attributes:
        done, total: steps.
        clean: x0_hat, (B, C, H, W): what the picture looks like from here.
        calls: network calls this step took.
        residual: the worst row's relative residual (0 for explicit steps).
        state: (B, C, H, W) after the step, where it can be had.
    """

    done: int
    total: int
    clean: Tensor
    calls: int = 1
    residual: float = 0.0
    state: Tensor | None = None


@dataclass(frozen=True)
class Call:
    """The network was called within a step that is not made yet.

    Attributes:
        done, total: steps made, and of the trajectory.
    """

    done: int
    total: int

    def again(self, _: object) -> Call:
        """The same, whatever has been called."""
        return self
