"""Unconditional models: a UNet that is told nothing, on pixels (DDPM) or on latents (LDM).

Source: Ho et al. 2006.11239 and Rombach et al. 2112.10752; the step is DDIM's, without the
clipping of x0 that some of their schedulers ask for, since a clipped step cannot be inverted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from latmix.models.latent_model import LatentModel
from latmix.models.pixels import to_pictures, to_pixels
from latmix.models.protocol import Conditioning


class Unconditional(LatentModel):
    """Epsilon or v prediction. Conditioning: "nothing", (B, 0); prompts are not read."""

    def _predict(self, state: Tensor, time: float, given: Mapping[str, Tensor]) -> Any:
        return self._denoiser(state, time).sample

    def _encoded(self, prompts: list[str]) -> Conditioning:
        return Conditioning({"nothing": torch.zeros(len(prompts), 0, device=self.device)})

    def _check(self) -> None:
        config = self._denoiser.config
        if config.get("class_embed_type") or config.get("num_class_embeds"):
            raise ValueError("its UNet wants to be told a class, which latmix does not do.")
        if config.out_channels != config.in_channels:
            raise ValueError("its UNet learns its variance, which latmix does not use.")


class UnconditionalPixels(Unconditional):
    """The same on pixels in [-1, 1]: its latents are pictures."""

    def encode(self, pictures: Sequence[Image.Image]) -> Tensor:
        return to_pixels(pictures).to(self.device)

    def decode(self, latents: Tensor) -> list[Image.Image]:
        return to_pictures(latents)
