"""Pictures through a VAE: channels that have a mean and a deviation of their own, and tiles."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from latmix.models import autoencoder
from latmix.models.autoencoder import Autoencoder
from latmix.models.pixels import to_pixels
from tests.support import tiny

CPU = torch.device("cpu")


def noise(side: int) -> Image.Image:
    return Image.effect_noise((side, side), 80).convert("RGB")


def test_channels_may_have_a_mean_and_a_deviation_of_their_own() -> None:
    torch.manual_seed(0)
    network = tiny.autoencoder("SDXL_VAE").eval().requires_grad_(False)
    mean, deviation = [0.1, -0.2, 0.3, 0.0], [1.0, 2.0, 0.5, 4.0]
    network.register_to_config(latents_mean=mean, latents_std=deviation)
    whole = Autoencoder(network, CPU)
    picture = noise(64)
    mode = network.encode(to_pixels([picture])).latent_dist.mode()
    shift, scale = (torch.tensor(v)[None, :, None, None] for v in (mean, deviation))
    latents = whole.encode([picture])
    torch.testing.assert_close(latents, (mode - shift) / scale * network.config.scaling_factor)
    assert whole.decode(latents)[0].size == (64, 64)


def test_only_large_pictures_are_cut_into_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tile is as large as the pictures the VAE was trained on: 64 pixels here."""
    torch.manual_seed(0)
    network = tiny.autoencoder("SD15_VAE").eval().requires_grad_(False)
    vae, picture = Autoencoder(network, CPU), noise(128)
    whole = vae.encode([picture])
    assert torch.equal(whole, vae.encode([picture]))
    sizes: list[int] = []
    encoder = network.encoder.forward
    monkeypatch.setattr(
        network.encoder, "forward", lambda x: sizes.append(x.shape[-1]) or encoder(x)
    )
    vae.encode([picture])
    assert sizes == [128]
    monkeypatch.setattr(autoencoder, "TILED_FROM", 128 * 128)
    tiled = vae.encode([picture])
    assert max(sizes[1:]) == 64
    assert tiled.shape == whole.shape
    assert vae.decode(tiled)[0].size == (128, 128)
    vae.encode([noise(64)])
    assert sizes[-1] == 64
    assert not network.use_tiling
