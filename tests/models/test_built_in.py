"""The built-in models as a user has them: small enough to ship, good enough to explore with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import latmix
from latmix.models.catalogue import BUILT_IN, BUILT_IN_FLOW, built_in_folder
from latmix.models.loading import load_model
from latmix.models.pixels import to_pixels
from latmix.models.protocol import Model
from latmix.sampling.pictures import prepare
from latmix.sampling.settings import InversionSettings

STEPS = {"steps": 8}
PROMPT = "an emoji of a face"


@pytest.fixture(scope="module", params=[BUILT_IN, BUILT_IN_FLOW])
def model(request: pytest.FixtureRequest) -> Iterator[Model]:
    yield load_model(request.param, device="cpu")


def psnr(one: torch.Tensor, other: torch.Tensor) -> float:
    """In dB, of pixels in [-1, 1]."""
    return float(10 * torch.log10(4 / (one - other).square().mean(dim=(1, 2, 3))).mean())


@pytest.mark.parametrize(("name", "parts"), [(BUILT_IN, 3), (BUILT_IN_FLOW, 4)])
def test_the_weights_of_each_are_under_20_megabytes(name: str, parts: int) -> None:
    weights = list(built_in_folder(name).rglob("*.safetensors"))
    assert len(weights) == parts
    assert sum(path.stat().st_size for path in weights) < 20e6


def test_pictures_come_back_as_far_as_the_autoencoder_lets_them(
    model: Model, faces: list[Path]
) -> None:
    pictures = [prepare(face, InversionSettings(model.source.size)) for face in faces[:4]]
    pixels = to_pixels(pictures)
    bound = psnr(to_pixels(model.decode(model.encode(pictures))), pixels)
    latents = latmix.invert(model, faces[:4], PROMPT, **STEPS)
    again = latmix.generate(model, latents, PROMPT, guidance=1.0, **STEPS)
    assert bound > 28
    assert psnr(to_pixels(again), pixels) > bound - 0.5


def test_a_prompt_is_followed(model: Model) -> None:
    """Red hearts are redder than green ones, whatever they look like."""
    noise = torch.randn(6, *model.source.latent_shape(model.source.size))
    balance = []
    for colour in ("red", "green"):
        made = latmix.generate(model, noise, f"an emoji of a {colour} heart", **STEPS)
        red, green, _ = to_pixels(made).mean(dim=(0, 2, 3))
        balance.append(float(red - green))
    assert balance[0] > balance[1] + 0.1


def test_shared_bias_is_amplified_but_for_the_remedy(model: Model, faces: list[Path]) -> None:
    """L&K figure 4: channel means grow with N under fix/0, and do not where they are split off."""
    latents = latmix.invert(model, faces[:16], PROMPT, solver="ddim", **STEPS)

    def bias(count: int, method: str) -> float:
        means = latmix.mix(latents[:count], method=method).mean(dim=(1, 2))
        return float(means.square().mean().sqrt())

    assert bias(16, "fix/0") > 1.5 * bias(16, "fix/chm")
    assert bias(16, "fix/0") > bias(2, "fix/0")
    assert bias(16, "fix/chm") < 1.1 * bias(2, "fix/chm")
