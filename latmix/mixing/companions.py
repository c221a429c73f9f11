"""What belongs to a noise latent beside itself, and the latents that carry it.

Some inversions come back to the picture only with more than the noise: null-text with an embedding
for each step, an exact pair with a second latent. Such a companion is stored with its latent, mixed
with the same weights (L&K appendix B), and used in generation. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from latmix.mixing.grid import Method

if TYPE_CHECKING:
    import torch
    from torch import Tensor


LINEAR = Method("lin", "0")
"""The method that is the plain weighted mean."""

UNCONDITIONAL = "unconditional"
"""Null-text: the unconditional embedding at each of K steps, (K, tokens, width)."""

SECOND = "second"
"""An exact pair: the state at the level after the noisiest, (C, H, W)."""

MIXED_BY: dict[str, Method | None] = {UNCONDITIONAL: LINEAR, SECOND: None}
"""By which method a companion is mixed, as embeddings are linearly; None: by that of the noise."""


def companion_method(name: str, method: Method) -> Method:
    """What mixes a companion of latents that a method mixes."""
    return MIXED_BY[name] or method


@dataclass(frozen=True)
class Latents:
    """N noise latents with their companions.

    Attributes:
        noise: (N, C, H, W).
        companions: by name, (N, ...) each.
        steps: of the trajectory that they were inverted along.
    """

    noise: Tensor
    companions: Mapping[str, Tensor] = field(default_factory=dict)
    steps: int = 0

    def __len__(self) -> int:
        return len(self.noise)

    def rows(self, which: slice) -> Latents:
        """Some of them."""
        some = {name: value[which] for name, value in self.companions.items()}
        return Latents(self.noise[which], some, self.steps)

    def to(self, device: torch.device) -> Latents:
        """The same in float32 on a device."""
        parts = {name: value.to(device).float() for name, value in self.companions.items()}
        return Latents(self.noise.to(device).float(), parts, self.steps)

    def mixed(self, method: Method, mix: Callable[[Tensor, Method], Tensor]) -> Latents:
        """Their mixtures, each part mixed on its own by a method of the grid."""
        parts = {
            name: mix(value, companion_method(name, method))
            for name, value in self.companions.items()
        }
        return Latents(mix(self.noise, method), parts, self.steps)

    @staticmethod
    def joined(parts: Sequence[Latents]) -> Latents:
        """The rows of all parts, which have the same companions, one after the other."""
        import torch

        companions = {
            name: torch.cat([part.companions[name] for part in parts])
            for name in parts[0].companions
        }
        return Latents(torch.cat([part.noise for part in parts]), companions, parts[0].steps)
