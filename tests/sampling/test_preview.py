"""Previews: the fitted map shows what the latents hold, and they take a small share of the time."""

from __future__ import annotations

import torch
from PIL import Image, ImageChops

from latmix.images.pictures import read_picture
from latmix.images.pixels import fit_picture
from latmix.models.protocol import Model
from latmix.sampling.preview import SECONDS, Preview


def test_a_linear_decoder_is_found_exactly(mini: Model) -> None:
    torch.manual_seed(0)
    colours = torch.randint(0, 256, (2, 40, 48, 3), dtype=torch.uint8)
    pictures = [Image.frombytes("RGB", (48, 40), row.numpy().tobytes()) for row in colours]
    into = torch.randn(3, 4)
    latents = (colours.float() / 255 @ into + 0.3).permute(0, 3, 1, 2)
    preview = Preview()
    preview.learn(latents, pictures)
    for latent, picture in zip(latents, pictures, strict=True):
        shown = preview.show(mini, latent)
        assert shown.size == (48, 40)
        assert max(high for _, high in ImageChops.difference(shown, picture).getextrema()) <= 1


def test_small_latents_are_decoded(mini: Model, faces: list) -> None:
    picture = fit_picture(read_picture(faces[0]), (64, 64))
    latent = mini.encode([picture])
    preview = Preview()
    preview.learn(latent, [picture])
    assert preview.show(mini, latent[0]).tobytes() == mini.decode(latent)[0].tobytes()


def test_a_slow_decoder_is_asked_seldom(mini: Model) -> None:
    now = [0.0]
    preview = Preview(lambda: now[0])
    assert preview.is_due

    class Slow:
        def decode(self, latents: torch.Tensor) -> list[Image.Image]:
            now[0] += 2.0
            return mini.decode(latents)

    preview.show(Slow(), torch.zeros(4, 16, 16))  # type: ignore[arg-type]
    now[0] += 2.0 + SECONDS
    assert not preview.is_due
    now[0] += 20.0
    assert preview.is_due
