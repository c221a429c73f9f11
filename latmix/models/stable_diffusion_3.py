"""Stable Diffusion 3 and 3.5: a transformer on VAE latents, told by two CLIP encoders and T5.

Without T5, which is larger than the transformer, its tokens are zeros: the model was trained so
too. Source: Esser et al. 2403.03206, section 5.3; the layout is that of the published pipeline.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad, scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from latmix.models.latent_model import LatentModel, check_width
from latmix.models.protocol import Conditioning

T5_TOKENS = 256


class LastKeyCounted(TorchFunctionMode):
    """Within it the last key of every attention counts as `T5_TOKENS` equal ones.

    softmax over k equal scores s is that over one score s + log k. Tokens that start equal, and
    have no position, stay equal through every layer: one of them is enough.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        options = kwargs or {}
        if func is scaled_dot_product_attention:
            query, key = args[:2]
            mask = query.new_zeros(key.shape[-2])
            mask[-1] = math.log(T5_TOKENS)
            options = options | {"attn_mask": mask.expand(query.shape[-2], -1)}
        return func(*args, **options)


class StableDiffusion3(LatentModel):
    """A rectified flow. Conditioning: "text", (B, 77 + 256, width), and "pooled", (B, width).

    Without T5, a model with fewer patches than T5 has tokens, `mini-flow`, is told one empty token
    that counts for all of them, (B, 77 + 1, width): a call for 1, 2, 8 or 32 pictures would take
    1.7, 2.2, 4.1 or 5.2 times as long with 256 of them, and come to the same but for rounding.
    """

    def _predict(self, state: Tensor, time: float, given: Mapping[str, Tensor]) -> Any:
        with LastKeyCounted() if self._empty_tokens == 1 else nullcontext():
            return self._denoiser(
                hidden_states=state,
                timestep=torch.full((len(state),), time, device=self.device),
                encoder_hidden_states=given["text"].to(self.dtype),
                pooled_projections=given["pooled"].to(self.dtype),
            ).sample

    @cached_property
    def _empty_tokens(self) -> int:
        """How many tokens stand for those of T5, where it is not there."""
        config = self._denoiser.config
        patches = (config.sample_size // config.patch_size) ** 2
        # A layer that attends to patches alone has no such token.
        is_small = patches < T5_TOKENS and not config.get("dual_attention_layers")
        return 1 if "text_encoder_3" not in self._parts and is_small else T5_TOKENS

    def _encoded(self, prompts: list[str]) -> Conditioning:
        clip, pooled = self._clip(prompts)
        width = self._denoiser.config.joint_attention_dim
        clip = pad(clip, (0, width - clip.shape[-1]))
        text = torch.cat([clip, self._t5(prompts, clip)], dim=1)
        return Conditioning({"text": text, "pooled": torch.cat(pooled, dim=-1)})

    def _t5(self, prompts: list[str], clip: Tensor) -> Tensor:
        """T5's states as wide as CLIP's padded ones, (B, 256, width); see the class on none."""
        if "text_encoder_3" not in self._parts:
            return clip.new_zeros(len(prompts), self._empty_tokens, clip.shape[-1])
        tokens = self._tokens("tokenizer_3", prompts, T5_TOKENS).input_ids
        states: Tensor = self._parts["text_encoder_3"](tokens)[0]
        return states.to(clip)

    def _check(self) -> None:
        config = self._denoiser.config
        encoders = [self._parts[name].config for name in ("text_encoder", "text_encoder_2")]
        pooled = sum(encoder.projection_dim for encoder in encoders)
        check_width("pooled text", pooled, config.pooled_projection_dim)
        if "text_encoder_3" in self._parts:
            width = self._parts["text_encoder_3"].config.d_model
            check_width("T5's text", width, config.joint_attention_dim)
