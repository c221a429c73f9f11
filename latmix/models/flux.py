"""Flux: a transformer on packed latents, told by CLIP's whole, by T5 and by a guidance scale.

Four cells of 2 x 2 are packed into the channels of one patch for the network only: states stay
(B, C, H, W), so that they are mixed and measured as any others. The layout is that of the
published pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from latmix.models.latent_model import LatentModel, check_width
from latmix.models.protocol import Conditioning

T5_TOKENS = 512


class Flux(LatentModel):
    """A rectified flow. Conditioning: "text", (B, 512, width), "pooled", (B, width), and where the
    network is told one, "guidance", (B,): 1 where it is missing."""

    def _predict(self, state: Tensor, time: float, given: Mapping[str, Tensor]) -> Tensor:
        height, width = state.shape[-2:]
        text = given["text"].to(self.dtype)
        guidance = given.get("guidance")
        if guidance is None and self._denoiser.config.guidance_embeds:
            guidance = torch.ones(len(state), device=self.device)
        output: Tensor = self._denoiser(
            hidden_states=pixel_unshuffle(state, 2).flatten(2).mT,
            # The network multiplies it by 1000 again.
            timestep=torch.full((len(state),), time / 1000, device=self.device),
            guidance=guidance,
            encoder_hidden_states=text,
            pooled_projections=given["pooled"].to(self.dtype),
            txt_ids=torch.zeros(text.shape[1], 3, device=self.device),
            img_ids=_places(height // 2, width // 2, self.device),
        ).sample
        patches = output.mT.reshape(len(state), -1, height // 2, width // 2)
        return pixel_shuffle(patches, 2)

    def _encoded(self, prompts: list[str]) -> Conditioning:
        tokens = self._tokens("tokenizer", prompts).input_ids
        letters = self._tokens("tokenizer_2", prompts, T5_TOKENS).input_ids
        return Conditioning(
            {
                "text": self._parts["text_encoder_2"](letters)[0],
                "pooled": self._parts["text_encoder"](tokens).pooler_output,
            }
        )

    def _check(self) -> None:
        config = self._denoiser.config
        whole, text = (self._parts[part].config for part in ("text_encoder", "text_encoder_2"))
        check_width("pooled text", whole.hidden_size, config.pooled_projection_dim)
        check_width("T5's text", text.d_model, config.joint_attention_dim)


def _places(height: int, width: int, device: torch.device) -> Tensor:
    """Row and column of each patch, behind a zero: (height width, 3)."""
    rows, columns = torch.arange(float(height)), torch.arange(float(width))
    return torch.cartesian_prod(torch.zeros(1), rows, columns).to(device)
