"""The main job as a script written the obvious way with diffusers: what latmix is measured against.

    python tests/benchmarks/plain.py FOLDER_OF_A_MODEL FOLDER_OF_PICTURES OUT.png

One picture at a time, the pipeline's own calls, `torch.stack` for the mixture.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMInverseScheduler, StableDiffusionPipeline
from PIL import Image
from torch import Tensor

PROMPT = ""
STEPS = 50


def load(folder: Path) -> Any:
    pipe = StableDiffusionPipeline.from_pretrained(
        folder, safety_checker=None, dtype=torch.float32, requires_safety_checker=False
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def opened(path: Path, size: int) -> Image.Image:
    return Image.open(path).convert("RGB").resize((size, size), Image.Resampling.LANCZOS)


@torch.no_grad()
def invert(
    pipe: Any, pictures: Sequence[Image.Image], steps: int = STEPS, prompt: str = PROMPT
) -> Tensor:
    """Diffusers' own inverse scheduler, or Euler's steps of a flow backwards; on the pipe's device
    and in its type."""
    walk = _invert_flow if hasattr(pipe, "transformer") else _invert_diffusion
    return torch.cat([walk(pipe, _encoded(pipe, picture), steps, prompt) for picture in pictures])


def _encoded(pipe: Any, picture: Image.Image) -> Tensor:
    values = pipe.image_processor.preprocess(picture).to(pipe.device, pipe.dtype)
    config = pipe.vae.config
    shift = config.get("shift_factor") or 0.0
    latents: Tensor = pipe.vae.encode(values).latent_dist.mode()
    return (latents - shift) * config.scaling_factor


def _invert_diffusion(pipe: Any, state: Tensor, steps: int, prompt: str) -> Tensor:
    inverse = DDIMInverseScheduler.from_config(pipe.scheduler.config)
    told, _ = pipe.encode_prompt(prompt, pipe.device, 1, False)
    inverse.set_timesteps(steps, device=pipe.device)
    for time in inverse.timesteps:
        noise = pipe.unet(state, time, encoder_hidden_states=told).sample
        state = inverse.step(noise, time, state).prev_sample
    return state


def _invert_flow(pipe: Any, state: Tensor, steps: int, prompt: str) -> Tensor:
    told, _, pooled, _ = pipe.encode_prompt(prompt, prompt, prompt, device=pipe.device)
    pipe.scheduler.set_timesteps(steps, device=pipe.device)
    sigmas = pipe.scheduler.sigmas
    for index in reversed(range(steps)):
        speed = pipe.transformer(
            hidden_states=state,
            timestep=pipe.scheduler.timesteps[index].expand(1),
            encoder_hidden_states=told,
            pooled_projections=pooled,
        ).sample
        state = state + (sigmas[index] - sigmas[index + 1]).to(state) * speed
    return state


def generate(
    pipe: Any, latents: Tensor, guidance: float, steps: int = STEPS, prompt: str = PROMPT
) -> list[Image.Image]:
    return [
        pipe(prompt, latents=latent[None], guidance_scale=guidance, num_inference_steps=steps)
        .images[0]
        for latent in latents
    ]  # fmt: skip


def mean(latents: Tensor) -> Tensor:
    """fix/0: the mean at the norm of noise."""
    total = torch.stack(list(latents)).mean(dim=0)
    return total / total.norm() * total.numel() ** 0.5


def main(model: str, pictures: str, out: str) -> None:
    pipe = load(Path(model))
    size = pipe.unet.config.sample_size * pipe.vae_scale_factor
    paths = sorted(Path(pictures).iterdir())
    latents = invert(pipe, [opened(path, size) for path in paths])
    generate(pipe, mean(latents)[None], 3.0)[0].save(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
