"""Tiny pipelines of every family: the published architectures, narrow and shallow, random weights.

Each is saved by its own diffusers pipeline class, so that the folder is laid out as published ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

FULL_SIZE: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "full_size.json").read_text()
)
"""The published architectures: the arguments of each network's class."""

WIDTH = 16
"""Of the text encoders."""


def clip_tokenizer() -> Any:
    """A CLIP tokenizer of a few words and all letters."""
    from transformers import CLIPTokenizer

    letters = [chr(code) for code in range(97, 123)]
    known = [*letters, *(f"{letter}</w>" for letter in letters)]
    vocabulary = {word: index for index, word in enumerate(known)}
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def t5_tokenizer() -> Any:
    """A T5 tokenizer of single letters."""
    from transformers import T5Tokenizer

    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    letters = [(chr(code), -3.0) for code in range(97, 123)]
    return T5Tokenizer(vocab=[*special, *letters], extra_ids=0)


def clip_encoder(tokenizer: Any, *, name: str = "CLIPTextModel", width: int = WIDTH) -> Any:
    import transformers

    config = transformers.CLIPTextConfig(
        **FULL_SIZE["CLIP_L_TEXT"]
        | {
            "vocab_size": len(tokenizer),
            "hidden_size": width,
            "intermediate_size": 2 * width,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "projection_dim": width,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        }
    )
    return getattr(transformers, name)(config)


def t5_encoder(tokenizer: Any, width: int) -> Any:
    from transformers import T5Config, T5EncoderModel

    small = {"vocab_size": len(tokenizer), "d_model": width, "d_kv": 8, "d_ff": 32}
    return T5EncoderModel(
        T5Config(**FULL_SIZE["T5_XXL"] | small | {"num_layers": 2, "num_heads": 2})
    )


def autoencoder(name: str, is_small: bool = True) -> Any:
    from diffusers import AutoencoderKL

    small = {"block_out_channels": (8, 8, 16, 16), "layers_per_block": 1, "norm_num_groups": 4}
    return AutoencoderKL(**FULL_SIZE[name] | (small | {"sample_size": 64} if is_small else {}))


def tame(network: Any) -> Any:
    """Make a random denoiser's output small enough for trajectories that do not amplify rounding:
    scale its last layer."""
    last = network.conv_out if hasattr(network, "conv_out") else network.proj_out
    with torch.no_grad():
        last.weight.mul_(0.1)
    return network


def stable_diffusion(folder: Path, prediction: str = "epsilon", *, is_small: bool = True) -> None:
    """Stable Diffusion 1.5, or 2.x with v prediction; not small: at the published size, but for a
    text encoder of two layers."""
    from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    small = {
        "sample_size": 8,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "cross_attention_dim": WIDTH,
        "attention_head_dim": 2,
    }
    tokenizer = clip_tokenizer()
    StableDiffusionPipeline(
        vae=autoencoder("SD15_VAE", is_small),
        text_encoder=clip_encoder(tokenizer, width=WIDTH if is_small else 768),
        tokenizer=tokenizer,
        unet=tame(UNet2DConditionModel(**FULL_SIZE["SD15_UNET"] | (small if is_small else {}))),
        scheduler=DDIMScheduler(**diffusion(), prediction_type=prediction),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)


def stable_diffusion_2(folder: Path) -> None:
    stable_diffusion(folder, "v_prediction")


def diffusion() -> dict[str, Any]:
    """The settings of Stable Diffusion's scheduler."""
    return {
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "clip_sample": False,
        "set_alpha_to_one": False,
        "steps_offset": 1,
    }


def stable_diffusion_xl(folder: Path, zeros: bool = True) -> None:
    """Stable Diffusion XL."""
    from diffusers import DDIMScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

    small = {
        "sample_size": 8,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "cross_attention_dim": 2 * WIDTH,
        "attention_head_dim": (1, 2),
        "transformer_layers_per_block": (1, 1),
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": WIDTH + 6 * 8,
    }
    tokenizer = clip_tokenizer()
    StableDiffusionXLPipeline(
        vae=autoencoder("SDXL_VAE"),
        text_encoder=clip_encoder(tokenizer),
        text_encoder_2=clip_encoder(tokenizer, name="CLIPTextModelWithProjection"),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=tame(UNet2DConditionModel(**FULL_SIZE["SDXL_UNET"] | small)),
        scheduler=DDIMScheduler(**diffusion()),
        force_zeros_for_empty_prompt=zeros,
        add_watermarker=False,
    ).save_pretrained(folder)


def stable_diffusion_3(
    folder: Path, with_t5: bool = True, *, is_small: bool = True, **scheduler: Any
) -> None:
    """Stable Diffusion 3.5 medium; not small: at the published size, but for its text encoders."""
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        SD3Transformer2DModel,
        StableDiffusion3Pipeline,
    )

    small = {
        "sample_size": 8,
        "num_layers": 2,
        "attention_head_dim": 8,
        "num_attention_heads": 2,
        "joint_attention_dim": 40,
        "caption_projection_dim": 16,
        "pooled_projection_dim": 2 * WIDTH,
        "pos_embed_max_size": 8,
        "dual_attention_layers": (0,),
    }
    tokenizer, third = clip_tokenizer(), t5_tokenizer()
    width = WIDTH if is_small else 1024
    encoders = [
        clip_encoder(tokenizer, name="CLIPTextModelWithProjection", width=width) for _ in range(2)
    ]
    sizes = FULL_SIZE["SD35M_TRANSFORMER"] | (small if is_small else {})
    StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(**sizes),
        scheduler=FlowMatchEulerDiscreteScheduler(**{"shift": 3.0} | scheduler),
        vae=autoencoder("SD3_VAE", is_small),
        text_encoder=encoders[0],
        tokenizer=tokenizer,
        text_encoder_2=encoders[1],
        tokenizer_2=tokenizer,
        text_encoder_3=t5_encoder(third, 40) if with_t5 else None,
        tokenizer_3=third if with_t5 else None,
    ).save_pretrained(folder)


def stable_diffusion_3_without_t5(folder: Path) -> None:
    stable_diffusion_3(folder, with_t5=False)


def stable_diffusion_3_by_size(folder: Path) -> None:
    stable_diffusion_3(folder, use_dynamic_shifting=True)


def flux(folder: Path, is_guided: bool = True, by_size: bool = True) -> None:
    """Flux.1 dev; without guidance and the shift by size, Flux.1 schnell."""
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

    small = {
        "num_layers": 1,
        "num_single_layers": 1,
        "attention_head_dim": 16,
        "num_attention_heads": 2,
        "joint_attention_dim": 24,
        "pooled_projection_dim": WIDTH,
        "axes_dims_rope": (4, 6, 6),
        "guidance_embeds": is_guided,
    }
    tokenizer, second = clip_tokenizer(), t5_tokenizer()
    FluxPipeline(
        transformer=FluxTransformer2DModel(**FULL_SIZE["FLUX_DEV"] | small),
        scheduler=FlowMatchEulerDiscreteScheduler(
            shift=3.0 if by_size else 1.0, use_dynamic_shifting=by_size
        ),
        vae=autoencoder("FLUX_VAE"),
        text_encoder=clip_encoder(tokenizer),
        tokenizer=tokenizer,
        text_encoder_2=t5_encoder(second, 24),
        tokenizer_2=second,
    ).save_pretrained(folder)


def flux_schnell(folder: Path) -> None:
    flux(folder, is_guided=False, by_size=False)


def unconditional_unet(channels: int) -> Any:
    from diffusers import UNet2DModel

    small = {
        "sample_size": 16,
        "in_channels": channels,
        "out_channels": channels,
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
        "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "norm_num_groups": 4,
    }
    # Its levels end so deep in noise that rounding grows a hundredfold.
    return tame(tame(UNet2DModel(**FULL_SIZE["DDPM_CIFAR10"] | small)))


def ddpm(folder: Path) -> None:
    """DDPM on pixels."""
    from diffusers import DDIMPipeline, DDIMScheduler

    pipeline = DDIMPipeline(unconditional_unet(3), DDIMScheduler(clip_sample=False))
    pipeline.save_pretrained(folder)


def ldm(folder: Path) -> None:
    """An unconditional latent diffusion model."""
    from diffusers import DDIMScheduler, LDMPipeline, VQModel

    vqvae = VQModel(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 16),
        norm_num_groups=4,
    )
    scheduler = DDIMScheduler(**diffusion() | {"beta_start": 0.0015, "beta_end": 0.0195})
    LDMPipeline(vqvae, unconditional_unet(3), scheduler).save_pretrained(folder)


BUILDERS: Mapping[str, Callable[[Path], None]] = {
    "sd15": stable_diffusion,
    "sd2": stable_diffusion_2,
    "sdxl": stable_diffusion_xl,
    "sd3": stable_diffusion_3,
    "sd3-no-t5": stable_diffusion_3_without_t5,
    "sd35-by-size": stable_diffusion_3_by_size,
    "ddpm": ddpm,
    "ldm": ldm,
    "flux": flux,
    "flux-schnell": flux_schnell,
}
