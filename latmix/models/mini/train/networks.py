"""The networks' shapes and first weights. Diffusers and transformers are imported where built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from latmix.models.mini.train.captions import LENGTH
from latmix.models.schedule import Schedule

DIFFUSION: dict[str, Any] = {
    "_class_name": "DDIMScheduler",
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "prediction_type": "epsilon",
    "timestep_spacing": "leading",
}
"""The scheduler of `mini`: Stable Diffusion 1.5's betas, abar_T = 0.00466."""

FLOW: dict[str, Any] = {
    "_class_name": "FlowMatchEulerDiscreteScheduler",
    "num_train_timesteps": 1000,
    "shift": 1.0,
}
"""The scheduler of `mini-flow`. No shift: 8 x 8 latents are as small as they get."""


def cumulative_alphas() -> Tensor:
    """abar_t of `DIFFUSION`, (1000,) float32."""
    return torch.tensor(Schedule.from_config(DIFFUSION).alphas_cumprod)


def build_autoencoder(channels: Sequence[int], latent_channels: int, layers: int) -> Any:
    """An AutoencoderKL that halves the picture between its levels.

    Group norm with one group, a log-variance of -5 and small last convolutions of every block at
    the start gave the prototype 3 dB at equal steps.
    """
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    network = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        block_out_channels=tuple(channels),
        layers_per_block=layers,
        latent_channels=latent_channels,
        norm_num_groups=1,
        sample_size=64,
        mid_block_add_attention=False,
        scaling_factor=1.0,
        force_upcast=True,
    )
    with torch.no_grad():
        for name, module in network.named_modules():
            if name.endswith("conv2") or name == "decoder.conv_out":
                module.weight.mul_(0.1)
        network.quant_conv.weight[latent_channels:] = 0.0
        network.quant_conv.bias[latent_channels:] = -5.0
    return network


def build_unet(channels: Sequence[int], latent_channels: int, width: int, size: int) -> Any:
    """A UNet2DConditionModel with cross-attention at every level but the first.

    Args:
        channels: of each level, multiples of 16.
        width: of the text encoder's states.
        size: of the latents, cells along a side.
    """
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    inner = len(channels) - 1
    network = UNet2DConditionModel(
        sample_size=size,
        in_channels=latent_channels,
        out_channels=latent_channels,
        down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * inner),
        up_block_types=(*("CrossAttnUpBlock2D",) * inner, "UpBlock2D"),
        block_out_channels=tuple(channels),
        layers_per_block=1,
        norm_num_groups=16,
        cross_attention_dim=width,
        # Diffusers takes this as the number of heads, as Stable Diffusion 1.5's config does.
        attention_head_dim=tuple(max(1, channel // 32) for channel in channels),
    )
    nn.init.zeros_(network.conv_out.weight)
    nn.init.zeros_(network.conv_out.bias)
    return network


def build_text_encoder(tokenizer: Any, width: int, layers: int, with_projection: bool) -> Any:
    """A CLIPTextModel for `mini`, a CLIPTextModelWithProjection for `mini-flow`."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=layers,
        num_attention_heads=max(1, width // 32),
        max_position_embeddings=LENGTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModelWithProjection(config) if with_projection else CLIPTextModel(config)


def build_transformer(
    width: int, layers: int, latent_channels: int, text_width: int, size: int
) -> Any:
    """An SD3Transformer2DModel over 8 x 8 patches of the latents, for two equal text encoders.

    Its modulations and last layer start at zero, so that every block starts as the identity.

    Source: Peebles & Xie 2212.09748, section 3.2 (adaLN-Zero).
    """
    from diffusers.models.transformers.transformer_sd3 import SD3Transformer2DModel

    heads, side = max(1, width // 32), min(size, 8)
    network = SD3Transformer2DModel(
        sample_size=size,
        patch_size=size // side,
        in_channels=latent_channels,
        out_channels=latent_channels,
        num_layers=layers,
        attention_head_dim=width // heads,
        num_attention_heads=heads,
        joint_attention_dim=2 * text_width,
        caption_projection_dim=width,
        pooled_projection_dim=2 * text_width,
        pos_embed_max_size=2 * side,
        qk_norm="rms_norm",
    )
    for name, module in network.named_modules():
        is_modulation = name.split(".")[-2:] in (["norm1", "linear"], ["norm1_context", "linear"])
        if is_modulation or name in ("norm_out.linear", "proj_out"):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    return network
