"""Checkpoints in one file: the same model as its folder, and what is said of one that is none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import latmix
from latmix.errors import ModelError
from latmix.models.single_file import SingleFile
from latmix.models.source import find_model
from tests.support import original


@pytest.fixture(scope="module")
def folder(tiny_folder: Callable[[str], Path]) -> Path:
    return tiny_folder("sd15")


@pytest.fixture(scope="module")
def single(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("single") / "anime.safetensors"
    original.save_as_single_file(folder, path)
    return path


def bare(folder: Path, target: Path) -> Path:
    """The folder without its weights."""
    return Path(shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*.safetensors")))


@pytest.mark.parametrize("name", ["sd15", "sdxl"])
def test_a_single_file_is_the_model_of_its_folder(
    name: str, tiny_folder: Callable[[str], Path], tmp_path: Path, faces: list[Path]
) -> None:
    """The base lends its configuration and tokenizer; its weights may be missing."""
    folder, file = tiny_folder(name), tmp_path / "anime.safetensors"
    original.save_as_single_file(folder, file)
    assert SingleFile.read(file).base == name
    lender = bare(folder, tmp_path / "base")
    one = latmix.load_model(f"{file}@{lender}", device="cpu")
    other = latmix.load_model(str(folder), device="cpu")
    torch.testing.assert_close(
        latmix.invert(one, faces[:1], "face", steps=3),
        latmix.invert(other, faces[:1], "face", steps=3),
    )
    noise = torch.randn(4, 8, 8)
    pictures = [latmix.generate(model, noise, "face", steps=3)[0] for model in (one, other)]
    assert pictures[0] == pictures[1]
    assert one.source.fingerprint != other.source.fingerprint


def test_its_fingerprint_is_that_of_the_file(single: Path, folder: Path, tmp_path: Path) -> None:
    before = find_model(f"{single}@{folder}").fingerprint
    assert find_model(f"{single}@{bare(folder, tmp_path / 'base')}").fingerprint == before
    content = bytearray(single.read_bytes())
    content[-1] ^= 1
    changed = tmp_path / "changed.safetensors"
    changed.write_bytes(content)
    assert find_model(f"{changed}@{folder}").fingerprint != before


def test_a_part_that_the_file_lacks_is_the_bases(
    single: Path, folder: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    found = {n: v for n, v in load_file(single).items() if not n.startswith("first_stage")}
    save_file(found, tmp_path / "half.safetensors")
    model = latmix.load_model(f"{tmp_path / 'half.safetensors'}@{folder}", device="cpu")
    assert model.decode(torch.zeros(1, 4, 8, 8))[0].size == (64, 64)
    base = bare(folder, tmp_path / "base")
    with pytest.raises(ModelError, match="no weights for its vae"):
        find_model(f"{tmp_path / 'half.safetensors'}@{base}")


def refused(name: str, *said: str) -> None:
    with pytest.raises(ModelError) as error:
        find_model(name)
    assert error.value.hint
    for words in said:
        assert words in str(error.value)


def test_a_file_whose_base_is_not_here_says_what_to_do(single: Path) -> None:
    refused(str(single), "single file", "not on this machine", "latmix models pull sd15", "@BASE")


def test_a_base_of_another_architecture_is_refused(
    single: Path, tiny_folder: Callable[[str], Path]
) -> None:
    refused(f"{single}@{tiny_folder('sd3')}", "not a model of the kind", "same architecture")
    refused(f"{single}@nothing-of-that-name", "nothing-of-that-name")


def test_files_that_are_no_models_are_refused(tmp_path: Path, single: Path) -> None:
    refused(str(tmp_path / "none.safetensors"), "There is no file")
    (tmp_path / "text.safetensors").write_text("not a model at all")
    refused(str(tmp_path / "text.safetensors"), "safetensors", "Fetch it again")
    (tmp_path / "short.safetensors").write_bytes(single.read_bytes()[:-100])
    refused(str(tmp_path / "short.safetensors"), "cut short")
    save_file({"lora_unet_down.weight": torch.zeros(1)}, tmp_path / "lora.safetensors")
    refused(str(tmp_path / "lora.safetensors"), "is a LoRA", "--lora")
    save_file({"something": torch.zeros(1)}, tmp_path / "other.safetensors")
    refused(str(tmp_path / "other.safetensors"), "no network that latmix knows")
    (tmp_path / "old.ckpt").write_bytes(b"PK")
    refused(str(tmp_path / "old.ckpt"), "pickle", "can run code", "safetensors")
