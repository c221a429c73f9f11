"""Stable Diffusion 1.x and 2.x: a UNet on VAE latents, told by a CLIP text encoder."""

from __future__ import annotations

import torch
from torch import Tensor

from latmix.models.latent_model import LatentModel, check_width, gradients_on_demand
from latmix.models.model_source import ModelSource
from latmix.models.protocol import Conditioning
from latmix.models.recorded import RecordedUNet, is_worth_recording


class StableDiffusion(LatentModel):
    """Epsilon or v prediction. Conditioning: "text", (B, tokens, width)."""

    def __init__(
        self,
        source: ModelSource,
        device: torch.device,
        dtype: torch.dtype,
        offload: str = "none",
    ) -> None:
        super().__init__(source, device, dtype, offload)
        self._denoiser.to(memory_format=torch.channels_last)  # convolutions run faster
        self._quick: RecordedUNet | None = None
        if is_worth_recording(self._denoiser, device, offload):
            self._quick = RecordedUNet(self._denoiser)

    @gradients_on_demand
    def predict(self, state: Tensor, time: float, conditioning: Conditioning) -> Tensor:
        text = conditioning.tensors["text"].to(self.dtype)
        if self._quick and not conditioning.wants_gradient:
            return self._quick(state.to(self.dtype), time, text).float()
        output = self._denoiser(state.to(self.dtype), time, encoder_hidden_states=text)
        sample: Tensor = output.sample
        return sample.float()

    def _told(self, prompts: list[str]) -> Conditioning:
        tokens, encoder = self._tokens("tokenizer", prompts), self._text["text_encoder"]
        uses_mask = getattr(encoder.config, "use_attention_mask", False)
        mask = tokens.attention_mask if uses_mask else None
        return Conditioning({"text": encoder(tokens.input_ids, attention_mask=mask)[0]})

    def _check(self) -> None:
        width = self._text["text_encoder"].config.hidden_size
        check_width("text", width, self._denoiser.config.cross_attention_dim)
