"""Stable Diffusion XL: a UNet on VAE latents, told by two CLIP encoders and the picture's size.

Source: Podell et al. 2307.01952, section 2.2; the layout is that of the published pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from latmix.models.latent_model import check_width
from latmix.models.protocol import Conditioning
from latmix.models.stable_diffusion import StableDiffusion


class StableDiffusionXL(StableDiffusion):
    """Epsilon or v prediction. Conditioning: "text", (B, 77, width), and "pooled", (B, width)."""

    def _predict(self, state: Tensor, time: float, given: Mapping[str, Tensor]) -> Any:
        return self._denoiser(
            state,
            time,
            encoder_hidden_states=given["text"].to(self.dtype),
            added_cond_kwargs={
                "text_embeds": given["pooled"].to(self.dtype),
                "time_ids": self._sizes(state),
            },
        ).sample

    def condition_negative(self, prompts: Sequence[str]) -> Conditioning:
        """Nothing is zeros here, where the index says so, and not the embedding of ""."""
        encoded = self.condition(prompts)
        if not self.source.index.get("force_zeros_for_empty_prompt", True):
            return encoded
        is_given = torch.tensor([bool(prompt) for prompt in prompts], device=self.device)
        return Conditioning(
            {
                name: value * is_given.reshape(-1, *[1] * (value.ndim - 1))
                for name, value in encoded.tensors.items()
            }
        )

    def _sizes(self, state: Tensor) -> Tensor:
        """Height and width of the picture, the corner of its crop, and the size wanted: (B, 6)."""
        height, width = (side * self.source.cell for side in state.shape[-2:])
        sizes = torch.tensor([height, width, 0, 0, height, width], dtype=self.dtype)
        return sizes.to(self.device).expand(len(state), -1)

    def _encoded(self, prompts: list[str]) -> Conditioning:
        text, pooled = self._clip(prompts)
        return Conditioning({"text": text, "pooled": pooled[-1]})

    def _check(self) -> None:
        first, second = (self._parts[part].config for part in ("text_encoder", "text_encoder_2"))
        config = self._denoiser.config
        check_width("text", first.hidden_size + second.hidden_size, config.cross_attention_dim)
        width = second.projection_dim + 6 * (config.addition_time_embed_dim or 0)
        check_width("sizes", width, config.projection_class_embeddings_input_dim)
