"""Every family from its folder to pictures and back, against its own diffusers pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from PIL import Image, ImageChops
from torch import Tensor

import latmix
from latmix.models.pixels import to_pictures, to_pixels
from latmix.models.protocol import Model
from latmix.models.source import find_model
from latmix.sampling.generators import drained
from latmix.sampling.pictures import generate_batch, prepare
from latmix.sampling.settings import GenerationSettings, InversionSettings
from tests.support import tiny

Folder = Callable[[str], Path]

PROMPTS = ["a red heart", "face"]

# guidance, latent channels, the model's own size
CASES = {
    "sd15": (7.5, 4, 64),
    "sd2": (4.0, 4, 64),
    "sdxl": (5.0, 4, 64),
    "sd3": (4.5, 16, 64),
    "sd3-no-t5": (1.0, 16, 64),
    "sd35-by-size": (4.5, 16, 64),
    "flux": (3.5, 16, 1024),
    "flux-schnell": (3.5, 16, 1024),
}


def reference(folder: Path) -> Any:
    absent = {
        part: None
        for part in ("text_encoder_3", "tokenizer_3")
        if "3" in folder.name and not (folder / part).is_dir()
    }
    pipeline = diffusers.DiffusionPipeline.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, **absent
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def relative(one: Tensor, other: Tensor) -> float:
    return float((one - other).norm() / other.norm())


@pytest.fixture(params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(name: str, tiny_folder: Folder) -> Model:
    return latmix.load_model(str(tiny_folder(name)), device="cpu")


def test_trajectories_are_the_pipelines_own(name: str, model: Model, tiny_folder: Folder) -> None:
    guidance, channels, side = CASES[name]
    assert model.source.size == (side, side)
    torch.manual_seed(0)
    noise = torch.randn(2, channels, 12, 8)
    pipeline = reference(tiny_folder(name))
    settings = GenerationSettings(guidance, 6, "cat")
    ours = drained(generate_batch(model, noise, model.condition(PROMPTS), settings))
    told = {"prompt": PROMPTS, "guidance_scale": guidance, "num_inference_steps": 6}
    told |= {"height": 96, "width": 64, "output_type": "latent"}
    if name.startswith("flux"):
        packed = pipeline._pack_latents(noise, 2, channels, 12, 8)
        theirs = pipeline._unpack_latents(pipeline(latents=packed, **told).images, 96, 64, 8)
    else:
        theirs = pipeline(latents=noise, negative_prompt=["cat"] * 2, **told).images
    assert relative(ours, theirs) < 1e-4


def test_pictures_come_back_through_noise(name: str, model: Model, faces: list[Path]) -> None:
    latents = latmix.invert(model, faces[:2], PROMPTS, steps=10, size=(64, 64))
    assert latents.shape == (2, CASES[name][1], 8, 8)
    settings = GenerationSettings(1.0, 10)
    told = model.condition(PROMPTS)
    clean = drained(generate_batch(model, latents, told, settings))
    pictures = [prepare(face, InversionSettings((64, 64))) for face in faces[:2]]
    assert relative(clean, model.encode(pictures)) < 1e-3


def test_mixtures_are_generated(model: Model, faces: list[Path]) -> None:
    latents = latmix.invert(model, faces[:2], PROMPTS, steps=3, size=(64, 96), fit="pad")
    mixed = latmix.mix(latents, [0.4, 0.6])
    [picture] = latmix.generate(model, mixed, "a heart", steps=3)
    assert picture.size == (64, 96)


def test_the_autoencoder_is_the_pipelines_own(
    name: str, model: Model, tiny_folder: Folder, faces: list[Path]
) -> None:
    """The mode, shifted and scaled, and back."""
    vae = reference(tiny_folder(name)).vae
    picture = Image.open(faces[0]).convert("RGB").resize((64, 64))
    [latent] = model.encode([picture])
    mode = vae.encode(to_pixels([picture])).latent_dist.mode()
    expected = (mode - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor
    torch.testing.assert_close(latent, expected[0])
    [ours], [theirs] = model.decode(latent[None]), to_pictures(vae.decode(mode).sample)
    # A level between two of 255 may be rounded either way.
    assert max(high for _, high in ImageChops.difference(ours, theirs).getextrema()) <= 1


@pytest.mark.parametrize("zeros", [True, False])
def test_no_negative_prompt_is_what_the_index_of_xl_says(tmp_path: Path, zeros: bool) -> None:
    torch.manual_seed(1)
    tiny.stable_diffusion_xl(tmp_path, zeros)
    model = latmix.load_model(str(tmp_path), device="cpu")
    noise = torch.randn(2, 4, 8, 8)
    theirs = reference(tmp_path)(
        PROMPTS,
        latents=noise,
        guidance_scale=5.0,
        num_inference_steps=6,
        height=64,
        width=64,
        output_type="latent",
    ).images
    settings = GenerationSettings(5.0, 6)
    ours = drained(generate_batch(model, noise, model.condition(PROMPTS), settings))
    assert relative(ours, theirs) < 1e-4
    assert (model.condition_negative([""]).tensors["pooled"].abs().sum() == 0) == zeros
    assert torch.equal(
        model.condition_negative(["cat"]).tensors["text"], model.condition(["cat"]).tensors["text"]
    )


def test_flux_without_a_guidance_scale_is_told_one(tiny_folder: Folder) -> None:
    model = latmix.load_model(str(tiny_folder("flux")), device="cpu")
    told, state = model.condition(PROMPTS), torch.randn(2, 16, 8, 8)
    plain = model.predict(state, 500.0, told)
    torch.testing.assert_close(plain, model.predict(state, 500.0, told.with_guidance(1.0)))
    assert relative(plain, model.predict(state, 500.0, told.with_guidance(3.5))) > 1e-4


@pytest.mark.parametrize(
    ("name", "negative", "told", "calls"),
    [
        ("sd15", True, False, 2),
        ("sd3", True, False, 2),
        ("flux", False, True, 1),
        ("flux-schnell", False, False, 1),
        ("ddpm", False, False, 1),
    ],
)
def test_a_source_says_how_it_is_guided(
    name: str, negative: bool, told: bool, calls: int, tiny_folder: Folder
) -> None:
    source = find_model(str(tiny_folder(name)))
    assert (source.takes_negative, source.is_told_guidance) == (negative, told)
    assert source.takes_guidance == (negative or told)
    assert source.guided_calls == calls
