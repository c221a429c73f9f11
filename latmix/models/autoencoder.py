"""Pictures to latents and back through a VAE, scaled as the denoiser was trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from latmix.models.pixels import to_pictures, to_pixels

TILED_FROM = 1536 * 1536 + 1
"""Pixels of a picture from which the VAE works in overlapping tiles: whole, it would need over 7 GB
in float32. Tiles change a picture a little, so smaller ones are never tiled."""

TOGETHER = 256 * 256
"""Pixels that are decoded together: small pictures take half the time so. The decoder is the memory
peak of a run, so that larger ones are decoded one by one."""


class Autoencoder:
    """A VAE on a device, in float32, which it needs to be exact.

    Latents are (mode - shift) scale; where the config has a mean and a deviation for each channel,
    (mode - mean) scale / deviation.
    """

    def __init__(self, network: Any, device: torch.device) -> None:
        """Args: network: a diffusers AutoencoderKL or VQModel in float32, there when it is used."""
        config = network.config
        self._network, self._device = network, device
        self._scale = _per_channel(config.scaling_factor, device)
        self._shift = _per_channel(config.get("shift_factor") or 0.0, device)
        if config.get("latents_mean") is not None and config.get("latents_std") is not None:
            self._shift = _per_channel(config.latents_mean, device)
            self._scale = self._scale / _per_channel(config.latents_std, device)
        self._cell = 2 ** (len(config.block_out_channels) - 1)

    @torch.no_grad()
    def encode(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Latents (B, C, H, W): the mode, never a sample, which would differ every time."""
        pixels = to_pixels(pictures).to(self._device)
        self._tile(pixels.shape[2] * pixels.shape[3])
        made = self._network.encode(pixels)
        # A VQ model's are those before it looks up the nearest in its book.
        mode: Tensor = made.latents if "latents" in made else made.latent_dist.mode()
        return (mode.float() - self._shift) * self._scale

    @torch.no_grad()
    def decode(self, latents: Tensor) -> list[Image.Image]:
        """RGB pictures of latents (B, C, H, W)."""
        pictures = []
        pixels = latents.shape[2] * latents.shape[3] * self._cell**2
        self._tile(pixels)
        scaled = latents.to(self._device, torch.float32) / self._scale + self._shift
        step = max(1, TOGETHER // pixels)
        for start in range(0, len(scaled), step):
            pictures += to_pictures(self._network.decode(scaled[start : start + step]).sample)
        return pictures

    def _tile(self, pixels: int) -> None:
        if hasattr(self._network, "use_tiling"):
            self._network.use_tiling = pixels >= TILED_FROM


def _per_channel(value: Any, device: torch.device) -> Tensor:
    return torch.tensor(value, dtype=torch.float32, device=device).reshape(1, -1, 1, 1)
