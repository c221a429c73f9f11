"""What a loaded model does for the rooms above: encode, decode, condition, predict.

Latent states are (B, C, H, W) float32 on the model's device whatever type the network computes in:
a half-precision state loses the round trip (bfloat16 floors it at 1.4e-2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from latmix.models.model_source import ModelSource
from latmix.models.schedule import NoiseSchedule


@dataclass(frozen=True)
class Conditioning:
    """What the network is told beside the state: one row a picture in every tensor.

    The names are the family's own; Stable Diffusion has "text", (B, tokens, width).
    """

    tensors: Mapping[str, Tensor]

    @property
    def count(self) -> int:
        return next(iter(self.tensors.values())).shape[0]

    def rows(self, index: Tensor | Sequence[int]) -> Conditioning:
        """The rows of these pictures, in this order."""
        at = torch.as_tensor(index, dtype=torch.long)
        return Conditioning(
            {name: value[at.to(value.device)] for name, value in self.tensors.items()}
        )

    def mixed(self, weights: Tensor) -> Conditioning:
        """Linear mixtures (B, N) of N rows, as L&K appendix B mixes embeddings."""
        return Conditioning(
            {
                name: torch.einsum(
                    "bn,n...->b...", weights.to(value.device, torch.float32), value.float()
                )
                for name, value in self.tensors.items()
            }
        )

    def with_guidance(self, scale: float) -> Conditioning:
        """The same for a network that is told the guidance scale: "guidance", (B,)."""
        like = next(iter(self.tensors.values()))
        scales = torch.full((self.count,), scale, device=like.device)
        return Conditioning({**self.tensors, "guidance": scales})

    def says(self, other: Conditioning) -> bool:
        """Whether it tells every picture what another does."""
        mine, theirs = self.tensors, other.tensors
        return mine.keys() == theirs.keys() and all(
            torch.equal(value, theirs[name]) for name, value in mine.items()
        )

    @property
    def wants_gradient(self) -> bool:
        """Whether what is made of it shall be differentiated by it."""
        return any(value.requires_grad for value in self.tensors.values())

    @staticmethod
    def stack(parts: Sequence[Conditioning]) -> Conditioning:
        """The rows of all parts, one after the other."""
        names = parts[0].tensors
        return Conditioning({name: torch.cat([p.tensors[name] for p in parts]) for name in names})


class Model(Protocol):
    """A model on a device.

    Attributes:
        dtype: what the network computes in.
    """

    source: ModelSource
    schedule: NoiseSchedule
    device: torch.device
    dtype: torch.dtype

    def condition(self, prompts: Sequence[str]) -> Conditioning:
        """Encode prompts, one row each; a repeated prompt is encoded once."""

    def condition_negative(self, prompts: Sequence[str]) -> Conditioning:
        """Encode negative prompts; "" is what the family was trained to take for no prompt."""

    def encode(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Latents (B, C, H, W) of RGB pictures of one size: the mode, never a sample."""

    def decode(self, latents: Tensor) -> list[Image.Image]:
        """RGB pictures of latents (B, C, H, W)."""

    def predict(self, state: Tensor, time: float, conditioning: Conditioning) -> Tensor:
        """The network's raw output (epsilon, v or flow) for a state at a timestep.

        A model of classifier-free guidance can be differentiated by a conditioning that
        `wants_gradient`.
        """
