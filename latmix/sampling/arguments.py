"""What Python callers hand to `latmix.invert` and `latmix.generate`, checked and in shape."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from latmix.mixing.companions import Latents
from latmix.models.protocol import Model


def latent_rows(model: Model, latents: Tensor | Latents) -> Latents:
    """Latents with a first axis.

    Raises:
        ValueError: they are none of this model's.
    """
    whole = Latents(latents) if isinstance(latents, Tensor) else latents
    noise = whole.noise
    if noise.ndim not in (3, 4) or noise.numel() == 0:
        raise ValueError(f"latents must be (B, C, H, W) or (C, H, W), not {tuple(noise.shape)}.")
    if noise.ndim == 3:
        whole = Latents(
            noise[None], {name: one[None] for name, one in whole.companions.items()}, whole.steps
        )
    parts = (whole.noise, *whole.companions.values())
    finite = all(bool(torch.isfinite(part).all()) for part in parts)
    if whole.noise.shape[1] != model.source.channels or not finite:
        raise ValueError(
            f"latents must be finite and have {model.source.channels} channels, "
            f"not {tuple(noise.shape)}."
        )
    return whole


def checked_prompts(model: Model, prompt: str | Sequence[str], count: int) -> list[str]:
    """One prompt for each of `count` pictures.

    Raises:
        ValueError: there are no pictures, another number of prompts, or the model takes none.
    """
    if count == 0:
        raise ValueError("images: there are none.")
    prompts = [prompt] * count if isinstance(prompt, str) else list(prompt)
    if len(prompts) != count:
        raise ValueError(f"prompt: {len(prompts)} given for {count}; give one, or one for each.")
    if any(prompts) and not model.source.family.is_prompted:
        raise ValueError(f"prompt: {model.source.name} takes none.")
    return prompts
