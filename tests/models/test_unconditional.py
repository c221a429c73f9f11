"""Models without a prompt, on pixels and on latents, against their own diffusers pipelines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch
from torch import Tensor

import latmix
from latmix.errors import ModelError
from latmix.models.source import find_model
from latmix.sampling.generators import drained
from latmix.sampling.pictures import generate_batch, prepare
from latmix.sampling.settings import GenerationSettings, InversionSettings

Folder = Callable[[str], Path]

# pixels of the model's own size, latents of it
CASES = {"ddpm": (16, (3, 16, 16)), "ldm": (64, (3, 16, 16))}


@pytest.fixture(params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def relative(one: Tensor, other: Tensor) -> float:
    return float((one - other).norm() / other.norm())


def test_trajectories_are_the_pipelines_own(name: str, tiny_folder: Folder) -> None:
    model = latmix.load_model(str(tiny_folder(name)), device="cpu")
    side, shape = CASES[name]
    assert model.source.size == (side, side)
    assert model.source.latent_shape((side, side)) == shape
    pipeline = diffusers.DiffusionPipeline.from_pretrained(tiny_folder(name), dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    states = []
    step = pipeline.scheduler.step

    def watched(*given: Tensor, **options: object) -> object:
        made = step(*given, **options)
        states.append(made.prev_sample)
        return made

    pipeline.scheduler.step = watched
    pipeline(batch_size=2, generator=torch.Generator().manual_seed(0), num_inference_steps=6)
    noise = torch.randn((2, *shape), generator=torch.Generator().manual_seed(0))
    walk = generate_batch(model, noise, model.condition([""] * 2), GenerationSettings(1.0, 6))
    assert relative(drained(walk), states[-1]) < 1e-4
    assert len(states) == 6


def test_pictures_come_back_through_noise(
    name: str, tiny_folder: Folder, faces: list[Path]
) -> None:
    model = latmix.load_model(str(tiny_folder(name)), device="cpu")
    latents = latmix.invert(model, faces[:2], steps=10, guidance=3.0)
    torch.testing.assert_close(latents, latmix.invert(model, faces[:2], steps=10))
    walk = generate_batch(model, latents, model.condition(["", ""]), GenerationSettings(1.0, 10))
    pictures = [prepare(face, InversionSettings(model.source.size)) for face in faces[:2]]
    assert relative(drained(walk), model.encode(pictures)) < 1e-3
    [picture] = latmix.generate(model, latmix.mix(latents), steps=10)
    assert picture.size == model.source.size


def test_a_prompt_is_refused(name: str, tiny_folder: Folder, faces: list[Path]) -> None:
    model = latmix.load_model(str(tiny_folder(name)), device="cpu")
    with pytest.raises(ValueError, match="takes none"):
        latmix.invert(model, faces[:1], "a face", steps=1)


def test_sides_are_multiples_of_what_the_network_halves(tiny_folder: Folder) -> None:
    pixels, latents = (find_model(str(tiny_folder(name))) for name in CASES)
    assert (pixels.multiple, latents.multiple) == (2, 8)
    with pytest.raises(ValueError, match="the nearest is 18x16"):
        pixels.latent_shape((17, 16))


def test_a_model_of_one_network_may_have_its_files_beside_its_index(
    tiny_folder: Folder, tmp_path: Path
) -> None:
    for part in ("unet", "scheduler"):
        shutil.copytree(tiny_folder("ddpm") / part, tmp_path, dirs_exist_ok=True)
    shutil.copy(tiny_folder("ddpm") / "model_index.json", tmp_path)
    model = latmix.load_model(str(tmp_path), device="cpu")
    assert latmix.generate(model, torch.randn(3, 16, 16), steps=2)[0].size == (16, 16)
    assert len(find_model(str(tmp_path)).fingerprint) == 32


@pytest.mark.parametrize(
    ("change", "said"),
    [({"num_class_embeds": 10}, "told a class"), ({"out_channels": 6}, "learns its variance")],
)
def test_networks_that_want_or_say_more_are_refused(
    tmp_path: Path, change: dict[str, int], said: str
) -> None:
    from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

    blocks = {"down_block_types": ("DownBlock2D",), "up_block_types": ("UpBlock2D",)}
    unet = UNet2DModel(16, 3, **{"out_channels": 3} | change, block_out_channels=(32,), **blocks)
    DDPMPipeline(unet, DDPMScheduler()).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=said):
        latmix.load_model(str(tmp_path), device="cpu")
    assert json.loads((tmp_path / "model_index.json").read_text())["_class_name"] == "DDPMPipeline"
