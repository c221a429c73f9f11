"""Stable Diffusion 1.x and 2.x: a UNet on VAE latents, told by a CLIP text encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from latmix.models.latent_model import LatentModel, check_width
from latmix.models.protocol import Conditioning
from latmix.models.recorded import RecordedUNet, is_worth_recording


class StableDiffusion(LatentModel):
    """Epsilon or v prediction. Conditioning: "text", (B, tokens, width)."""

    def __init__(self, *loading: Any) -> None:
        super().__init__(*loading)
        self._denoiser.to(memory_format=torch.channels_last)  # convolutions run faster
        is_worth_it = is_worth_recording(self._denoiser, self.device, self._parts.offload)
        self._recorded = RecordedUNet(self._denoiser) if is_worth_it else None

    def _predict(self, state: Tensor, time: float, given: Mapping[str, Tensor]) -> Any:
        text = given["text"].to(self.dtype)
        if self._recorded and not torch.is_grad_enabled():
            return self._recorded(state, time, text)
        return self._denoiser(state, time, encoder_hidden_states=text).sample

    def _encoded(self, prompts: list[str]) -> Conditioning:
        tokens, encoder = self._tokens("tokenizer", prompts), self._parts["text_encoder"]
        uses_mask = getattr(encoder.config, "use_attention_mask", False)
        mask = tokens.attention_mask if uses_mask else None
        return Conditioning({"text": encoder(tokens.input_ids, attention_mask=mask)[0]})

    def _check(self) -> None:
        width = self._parts["text_encoder"].config.hidden_size
        check_width("text", width, self._denoiser.config.cross_attention_dim)
