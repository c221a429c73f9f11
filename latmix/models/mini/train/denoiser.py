"""The stages `denoiser` and `flow`: what makes latents from noise, and its text encoder.

`denoiser` is Stable Diffusion's kind: epsilon prediction over SD 1.5's levels. `flow` is Stable
Diffusion 3's: a transformer that predicts the velocity of a rectified flow. Both are trained
together with their text encoder on cached latents.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from latmix.models.mini.train.dataset import Dataset
from latmix.models.mini.train.latents import LatentBatches
from latmix.models.mini.train.loop import Loss, Plan, Stage, Training
from latmix.models.mini.train.networks import (
    build_text_encoder,
    build_transformer,
    build_unet,
    cumulative_alphas,
)

PLANS = {
    "cpu": Plan(steps=16_000, batch=64, rate=1.5e-3, warmup=100, mean_decay=0.999),
    "cuda": Plan(fill=540.0, batch=1024, rate=1.2e-3, warmup=500, mean_decay=0.9995),
}
FLOW_PLANS = {
    "cpu": Plan(steps=16_000, batch=64, rate=1.5e-3, warmup=100, mean_decay=0.999),
    "cuda": Plan(fill=420.0, batch=1024, rate=1.0e-3, warmup=500, mean_decay=0.9995),
}

GAMMA = 5.0
"""Where the signal-to-noise ratio's weight is cut: Hang et al. 2303.09556, min-SNR-5."""

PADDING = (*(0,) * 14, 77, 256)
"""Zero tokens after the caption, where Stable Diffusion 3 has T5's: one of these numbers a batch.

The pipeline's default is 256; fewer are faster. Training on several makes the number not matter.
"""


def epsilon_loss(
    unet: Any, states: Tensor, latents: Tensor, alphas: Tensor, generator: torch.Generator
) -> Tensor:
    """The min-SNR weighted error of the noise that the network sees in noised latents.

    x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) eps; weight min(snr, gamma)/snr.

    Args:
        states: of the text encoder, (B, LENGTH, width).
        latents: x0, (B, C, h, w).
        alphas: abar_t, (T,).
    """
    count, device = len(latents), latents.device
    time = torch.randint(len(alphas), (count,), generator=generator, device=device)
    noise = torch.randn(latents.shape, generator=generator, device=device)
    alpha = alphas[time][:, None, None, None]
    noisy = alpha.sqrt() * latents + (1 - alpha).sqrt() * noise
    output = unet(noisy, time, encoder_hidden_states=states).sample
    error = (output.float() - noise).square().mean(dim=(1, 2, 3))
    ratio = alphas[time] / (1 - alphas[time])
    weighted: Tensor = error * ratio.clamp(max=GAMMA) / ratio
    return weighted.mean()


def velocity_loss(
    transformer: Any, states: Tensor, pooled: Tensor, latents: Tensor, generator: torch.Generator
) -> Tensor:
    """The error of the velocity eps - x0 at x_t = (1 - t) x0 + t eps, t logit-normal.

    Args:
        states: (B, tokens, joint width). pooled: (B, pooled width).

    Source: Esser et al. 2403.03206, eq. 19, with m = 0, s = 1.
    """
    count, device = len(latents), latents.device
    time = torch.randn(count, generator=generator, device=device).sigmoid()
    noise = torch.randn(latents.shape, generator=generator, device=device)
    level = time[:, None, None, None]
    output = transformer(
        hidden_states=(1 - level) * latents + level * noise,
        encoder_hidden_states=states,
        pooled_projections=pooled,
        timestep=1000 * time,
    ).sample
    return functional.mse_loss(output.float(), noise - latents)


def joint_states(text_encoder: Any, tokens: Tensor, padding: int) -> tuple[Tensor, Tensor]:
    """What StableDiffusion3Pipeline tells its transformer, one encoder serving as both of CLIP's.

    Returns:
        the states before the last layer, twice side by side, then `padding` zero tokens:
        (B, LENGTH + padding, 2 width); and the pooled projection twice, (B, 2 width).
    """
    told = text_encoder(tokens, output_hidden_states=True)
    states = torch.cat([told.hidden_states[-2]] * 2, dim=-1)
    return functional.pad(states, (0, 0, 0, padding)), torch.cat([told.text_embeds] * 2, dim=-1)


def train_denoiser(stage: Stage, sizes: Mapping[str, Any]) -> bool:
    """Train, or go on training, a UNet and its text encoder; True where the plan is finished.

    Args:
        sizes: `channels`, `width`, `text_layers`.
    """
    device = stage.device
    batches = LatentBatches.read(stage.dataset, stage.folder, device)
    networks = build_diffusion(stage.dataset, sizes, batches.latents, stage.plan.seed)
    classes = {"unet": "UNet2DConditionModel", "text_encoder": "CLIPTextModel"}
    _start_from(stage.start, networks, classes)
    unet = networks["unet"].to(device, memory_format=torch.channels_last)
    text_encoder = networks["text_encoder"].to(device)
    alphas = cumulative_alphas().to(device)
    run = torch.compile(unet) if stage.compiled else unet

    def loss(generator: torch.Generator, batch: int) -> dict[str, Tensor]:
        latents, tokens = batches.draw(batch, generator)
        states = text_encoder(tokens)[0]
        return {"loss": epsilon_loss(run, states, latents, alphas, generator)}

    return _train(stage, "denoiser", networks, loss, {**sizes, **_made_of(stage, batches)})


def train_flow(stage: Stage, sizes: Mapping[str, Any]) -> bool:
    """Train, or go on training, a transformer and its text encoder; True where it is finished.

    Args:
        sizes: `width`, `layers`, `text_width`, `text_layers`.
    """
    batches = LatentBatches.read(stage.dataset, stage.folder, stage.device)
    networks = build_flow(stage.dataset, sizes, batches.latents, stage.plan.seed)
    classes = {
        "transformer": "SD3Transformer2DModel",
        "text_encoder": "CLIPTextModelWithProjection",
    }
    _start_from(stage.start, networks, classes)
    transformer, text_encoder = (network.to(stage.device) for network in networks.values())
    run = torch.compile(transformer) if stage.compiled else transformer

    def loss(generator: torch.Generator, batch: int) -> dict[str, Tensor]:
        latents, tokens = batches.draw(batch, generator)
        # The number must be the host's: it sets shapes. The step's seed fixes it.
        padding = PADDING[generator.initial_seed() * 7919 % 8191 % len(PADDING)]
        states, pooled = joint_states(text_encoder, tokens, padding)
        return {"loss": velocity_loss(run, states, pooled, latents, generator)}

    return _train(stage, "flow", networks, loss, {**sizes, **_made_of(stage, batches)})


def build_diffusion(
    dataset: Dataset, sizes: Mapping[str, Any], like: Tensor, seed: int
) -> dict[str, Any]:
    """The networks of `mini` for latents like (..., C, h, w), their first weights from a seed."""
    torch.manual_seed(seed)
    width = sizes["width"]
    return {
        "unet": build_unet(sizes["channels"], like.shape[-3], width, like.shape[-1]),
        "text_encoder": build_text_encoder(dataset.tokenizer, width, sizes["text_layers"], False),
    }


def build_flow(
    dataset: Dataset, sizes: Mapping[str, Any], like: Tensor, seed: int
) -> dict[str, Any]:
    """The networks of `mini-flow`; see `build_diffusion`."""
    torch.manual_seed(seed)
    channels, size, text = like.shape[-3], like.shape[-1], sizes["text_width"]
    return {
        "transformer": build_transformer(sizes["width"], sizes["layers"], channels, text, size),
        "text_encoder": build_text_encoder(dataset.tokenizer, text, sizes["text_layers"], True),
    }


def _made_of(stage: Stage, batches: LatentBatches) -> dict[str, Any]:
    """What a run depends on beside its sizes."""
    return {
        "passes": len(batches.latents),
        "autoencoder": batches.digest,
        "dataset": stage.dataset.digest,
    }


def _train(
    stage: Stage, name: str, networks: dict[str, Any], loss: Loss, made_of: Mapping[str, Any]
) -> bool:
    training = Training(stage.folder / name, networks, loss, stage.plan, stage.device, made_of)
    return training.run(stage.limits)


def _start_from(
    start: Path | None, networks: dict[str, nn.Module], classes: dict[str, str]
) -> None:
    """Take the weights of an exported model folder as the first ones."""
    if start is None:
        return
    import diffusers
    import transformers

    for part, name in classes.items():
        library = diffusers if hasattr(diffusers, name) else transformers
        options = {"torch_dtype" if library is diffusers else "dtype": torch.float32}
        given = getattr(library, name).from_pretrained(
            start / part, use_safetensors=True, local_files_only=True, **options
        )
        networks[part].load_state_dict(given.state_dict())
