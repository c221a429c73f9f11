"""Which folders are models, which are refused and why, and what `auto` takes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from latmix.errors import ModelError, UsageError
from latmix.models.catalogue import CATALOGUE, built_in_folder
from latmix.models.loading import load_model
from latmix.models.source import find_model


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The built-in model's folder, to be spoilt."""
    return Path(shutil.copytree(built_in_folder(), tmp_path / "model"))


def refused(folder: Path, *said: str) -> None:
    with pytest.raises(ModelError) as error:
        find_model(str(folder))
    for words in said:
        assert words in str(error.value)


def test_the_built_in_model_is_an_ordinary_folder(copy: Path) -> None:
    built_in, folder = find_model("mini"), find_model(str(copy))
    assert folder.fingerprint == built_in.fingerprint
    assert (built_in.size, built_in.channels, built_in.cell) == ((64, 64), 4, 4)
    assert built_in.latent_shape((64, 96)) == (4, 24, 16)


def test_a_fingerprint_changes_with_any_file_the_network_reads(copy: Path) -> None:
    before = find_model(str(copy)).fingerprint
    weights = copy / "vae" / "diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    changed = find_model(str(copy)).fingerprint
    scheduler = copy / "scheduler" / "scheduler_config.json"
    scheduler.write_text(scheduler.read_text().replace("0.012", "0.013"))
    assert len({before, changed, find_model(str(copy)).fingerprint}) == 3


def test_a_folder_without_weights(copy: Path) -> None:
    (copy / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    refused(copy, "no weights for its unet")


def test_a_pickle_is_refused_with_the_reason(copy: Path) -> None:
    weights = copy / "text_encoder" / "model.safetensors"
    weights.rename(weights.with_name("pytorch_model.bin"))
    refused(copy, "pickle", "can run code", "safetensors")


def test_half_precision_files_alone_are_used(copy: Path) -> None:
    for part in ("unet", "text_encoder"):
        for weights in (copy / part).glob("*.safetensors"):
            weights.rename(weights.with_suffix(".fp16.safetensors"))
    source = find_model(str(copy))
    assert [source.variant(part) for part in ("unet", "vae")] == ["fp16", None]
    assert load_model(source, device="cpu").dtype == torch.float32


def test_another_family_is_named_and_the_supported_ones_too(copy: Path) -> None:
    index = copy / "model_index.json"
    index.write_text(index.read_text().replace("StableDiffusionPipeline", "KandinskyPipeline"))
    refused(copy, "KandinskyPipeline", "StableDiffusionPipeline")


def test_code_that_comes_with_a_model_is_not_run(copy: Path) -> None:
    index = copy / "model_index.json"
    content = json.loads(index.read_text())
    content["unet"] = ["my_unet", "MyUNet"]
    index.write_text(json.dumps(content))
    (copy / "unet" / "my_unet.py").write_text("raise SystemExit('it ran')")
    refused(copy, "MyUNet", "runs no code")


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_an_index_that_is_not_json(copy: Path, text: str) -> None:
    (copy / "model_index.json").write_text(text)
    refused(copy, "model_index.json")


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    refused(tmp_path, "no model_index.json")
    refused(tmp_path / "nowhere", "no model folder")


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_damaged_weights_are_a_sentence(copy: Path, part: str) -> None:
    for weights in (copy / part).glob("*.safetensors"):
        weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(str(copy), device="cpu")


def test_a_missing_tokenizer_is_a_sentence(copy: Path) -> None:
    shutil.rmtree(copy / "tokenizer")
    with pytest.raises(ModelError):
        load_model(str(copy), device="cpu")


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(ModelError, match="mini"):
        find_model("mimi")


def test_a_model_that_is_not_here_is_not_fetched_unasked() -> None:
    with pytest.raises(ModelError, match="latmix models pull"):
        find_model("somebody/some-model")


def test_a_model_in_the_hubs_cache_is_found(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    repository = tmp_path / "cache" / "models--somebody--some-model"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.parent.mkdir(parents=True)
    copy.rename(snapshot)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    found = find_model("somebody/some-model")
    assert found.fingerprint == find_model("mini").fingerprint
    assert find_model("auto", configured="somebody/some-model").name == "somebody/some-model"


def test_auto_takes_the_configured_model_if_it_is_here_else_the_built_in_one(copy: Path) -> None:
    assert find_model("auto").name == "mini"
    assert find_model("auto", configured=str(copy)).folder == copy
    assert find_model("auto", configured="somebody/absent").name == "mini"


@pytest.mark.parametrize("size", [(0, 64), (64, -4), (62, 64)])
def test_sizes_that_do_not_fit_the_latents_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        find_model("mini").latent_shape(size)


@pytest.mark.parametrize(
    "words", [{"device": "abacus"}, {"device": "cuda:99"}, {"device": "cpu", "dtype": "int8"}]
)
def test_devices_and_types_that_are_not_there_are_refused(words: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        load_model("mini", **words)


def test_catalogue_names_are_distinct() -> None:
    names = [entry.name for entry in CATALOGUE] + [e.repository for e in CATALOGUE if e.repository]
    assert len(set(names)) == len(names)
