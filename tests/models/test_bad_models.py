"""Folders that cannot be used: each is refused with a sentence and a way out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

import latmix
from latmix.errors import ModelError
from latmix.models.single_file import read_names
from latmix.models.source import find_model


@pytest.fixture
def sd3(tiny_folder: Callable[[str], Path], tmp_path: Path) -> Path:
    """Stable Diffusion 3, to be spoilt."""
    return Path(shutil.copytree(tiny_folder("sd3"), tmp_path / "sd3"))


@pytest.fixture
def sd15(tiny_folder: Callable[[str], Path], tmp_path: Path) -> Path:
    """Stable Diffusion 1.5, to be spoilt."""
    return Path(shutil.copytree(tiny_folder("sd15"), tmp_path / "sd15"))


def refused(folder: Path, *said: str, load: bool = False) -> None:
    with pytest.raises(ModelError) as error:
        latmix.load_model(str(folder), device="cpu") if load else find_model(str(folder))
    assert error.value.hint
    for words in said:
        assert words in str(error.value)


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("part", ["transformer", "vae", "text_encoder_2", "tokenizer_2"])
def test_a_missing_part_is_named(sd3: Path, part: str) -> None:
    shutil.rmtree(sd3 / part)
    refused(sd3, part, "incomplete", "missing")


def test_a_part_that_the_index_does_not_name(sd3: Path) -> None:
    edit(sd3 / "model_index.json", text_encoder_2=[None, None])
    refused(sd3, "names no text_encoder_2")


def test_the_third_encoder_may_be_left_out(sd3: Path) -> None:
    edit(sd3 / "model_index.json", text_encoder_3=[None, None], tokenizer_3=[None, None])
    shutil.rmtree(sd3 / "text_encoder_3")
    assert "text_encoder_3" not in find_model(str(sd3)).networks
    assert latmix.load_model(str(sd3), device="cpu").condition(["a"]).count == 1


def test_a_missing_shard_is_named(sd3: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model.safetensors"}}
    (sd3 / "text_encoder_3" / "model.safetensors.index.json").write_text(json.dumps(index))
    refused(sd3, "text_encoder_3/model-00001-of-00002.safetensors is missing")


def test_a_pickle_is_refused_with_the_reason(sd3: Path) -> None:
    for weights in (sd3 / "transformer").glob("*.safetensors"):
        weights.rename(weights.with_suffix(".bin"))
    refused(sd3, "transformer", "pickle", "can run code", "safetensors")


def test_classes_that_nobody_knows_are_refused(sd3: Path) -> None:
    edit(sd3 / "model_index.json", transformer=["pipeline", "MyTransformer"])
    refused(sd3, "MyTransformer", "SD3Transformer2DModel", "runs no code")


@pytest.mark.parametrize("part", ["transformer", "vae", "text_encoder_3"])
def test_truncated_weights_are_a_sentence(sd3: Path, part: str) -> None:
    for weights in (sd3 / part).glob("*.safetensors"):
        weights.write_bytes(weights.read_bytes()[:-100])
    refused(sd3, "cannot be loaded", "fetch it again", load=True)


def test_an_inpainting_model_is_refused(sd15: Path) -> None:
    edit(sd15 / "unet" / "config.json", in_channels=9)
    refused(sd15, "takes 9 channels", "inpainting")


def test_parts_that_do_not_fit_together_are_refused(sd15: Path, sd3: Path) -> None:
    shutil.rmtree(sd15 / "text_encoder")
    shutil.copytree(sd3 / "text_encoder_3", sd15 / "text_encoder")
    refused(sd15, "text_encoder", "is incomplete", load=True)


def test_a_schedule_of_another_kind_is_a_sentence(sd15: Path) -> None:
    edit(sd15 / "scheduler" / "scheduler_config.json", beta_schedule="sigmoid")
    refused(sd15, "sigmoid", "not supported", load=True)
    (sd15 / "scheduler" / "scheduler_config.json").unlink()
    refused(sd15, "scheduler_config.json", load=True)


@pytest.mark.parametrize(
    ("size", "nearest"), [((64, 72), "64x80"), ((63, 64), "64x64"), ((64, 200), "64x128")]
)
def test_a_size_that_does_not_fit_names_the_nearest(
    sd3: Path, size: tuple[int, int], nearest: str
) -> None:
    source = find_model(str(sd3))
    with pytest.raises(ValueError, match=f"multiples of 16 pixels up to 128 .*{nearest}"):
        source.latent_shape(size)
    assert source.latent_shape((96, 128)) == (16, 16, 12)


@pytest.mark.parametrize("part", ["text_encoder", "unet", "vae"])
def test_weights_that_lack_tensors_are_refused(sd15: Path, part: str) -> None:
    """They would be filled with random numbers, other ones each time."""
    [file] = (sd15 / part).glob("*.safetensors")
    tensors = load_file(file)
    lost = max(name for name in tensors if name.endswith("weight"))
    save_file({name: value for name, value in tensors.items() if name != lost}, file)
    refused(sd15, part, load=True)


def test_a_number_of_channels_that_is_none_is_a_sentence(sd15: Path) -> None:
    edit(sd15 / "vae" / "config.json", latent_channels="x")
    with pytest.raises(ModelError, match="latent_channels"):
        find_model(str(sd15)).latent_shape((64, 64))


@pytest.mark.parametrize("header", ['{"x": 5}', '{"x": {}}', '{"x": {"data_offsets": "ab"}}', "[]"])
def test_a_damaged_header_is_a_sentence(tmp_path: Path, header: str) -> None:
    file = tmp_path / "odd.safetensors"
    file.write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(64))
    with pytest.raises(ModelError, match=r"odd\.safetensors is not safetensors"):
        read_names(file)
