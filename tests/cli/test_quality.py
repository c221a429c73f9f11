"""Centroids against their class, from the command line."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import Result

from tests.support.command import QUICK, answer, cli, refused, spoil

GRID = ["--methods", "fix/0,nin/chm", "-n", "1,4", "--draws", "3", "--seed", "2"]


pytestmark = pytest.mark.usefixtures("shared_home")


def quality(*words: object) -> Result:
    return cli("study", "quality", *words, *QUICK)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.png"


def test_every_method_and_number_is_scored_against_the_class(folder: Path, out: Path) -> None:
    result = answer(quality(folder, *GRID, "-o", out, "--json"))
    names = ["sharpness", "contrast", "saturation", "Frechet, VAE"]
    assert [measure["name"] for measure in result["measures"]] == names
    assert [(s["method"], s["count"], s["measure"]) for s in result["scores"]] == [
        (method, count, name)
        for method in ("fix/0", "nin/chm")
        for count in (1, 4)
        for name in names
    ]
    assert all(s["low"] <= s["value"] <= s["high"] for s in result["scores"])
    bounds = {(s["method"], s["measure"]): s for s in result["bounds"]}
    assert bounds["the class", "contrast"]["value"] == pytest.approx(1, abs=0.2)
    assert (bounds["the VAE alone", "contrast"]["count"], result["class"]) == (3, 6)
    assert bounds["the VAE alone", "sharpness"]["value"] < bounds["the class", "sharpness"]["low"]
    assert (result["kept"], len(result["draws"])) == (0, 3)
    assert result["outputs"] == [str(out.with_suffix(s)) for s in (".png", ".csv", ".json")]
    assert Image.open(out).width > 300
    with out.with_suffix(".csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    rows = result["scores"] + result["bounds"]
    assert [(row["method"], float(row["value"])) for row in table] == [
        (row["method"], row["value"]) for row in rows
    ]
    assert json.loads(out.with_suffix(".json").read_text())["scores"] == result["scores"]


def test_a_study_that_was_stopped_ends_as_one_that_was_not(folder: Path, out: Path) -> None:
    words = [folder, *GRID, "-o", out, "--batch", "5", "--json"]
    first = answer(quality(*words))
    made = sorted(out.with_name("out-cells").iterdir())
    assert len(made) == 12
    files = [out, out.with_suffix(".csv"), out.with_suffix(".json")]
    before = [path.read_bytes() for path in files]
    for path in made[8:]:
        path.unlink()
    dry = answer(quality(*words, "--dry-run"))
    assert (dry["to_invert"], dry["to_generate"], dry["cells"]) == (0, 4, 12)
    assert dry["seconds"] == pytest.approx(dry["calls"] * dry["call_seconds"])
    again = answer(quality(*words))
    assert 0 < again["kept"] <= 8
    assert again["scores"] == first["scores"]
    assert [path.read_bytes() for path in files] == before


def test_the_cost_is_said_before_the_start(folder: Path, out: Path, cold_home: Path) -> None:
    result = quality(folder, *GRID, "-o", out, "--dry-run")
    assert "to invert: 6 of 6 pictures; to generate: 12 of 12 centroids: about 0:0" in result.stdout
    # A batch of 6: 2 steps of 4.5 calls; one of 12: 2 guided steps.
    assert "13 network calls" in result.stdout
    assert not out.exists()
    assert not out.with_name("out-cells").exists()


def test_the_table_says_what_the_class_and_the_vae_show(folder: Path, out: Path) -> None:
    shown = quality(folder, *GRID, "-o", out.with_suffix(".svg"))
    for words in ("sharpness: variance of the Laplacian", "N = 4", "nin/chm", "±"):
        assert words in shown.stdout
    assert "the class, 3 pictures: " in shown.stdout
    assert "the VAE alone, 3 pictures: " in shown.stdout
    assert "to generate: 12 of 12 centroids" in shown.stderr
    assert b"<svg" in out.with_suffix(".svg").read_bytes()


def test_distances_in_an_image_network_need_no_download(folder: Path, out: Path) -> None:
    words = ["-m", "nin/chm", "-n", "2", "--draws", "2", "--features", "efficientnet"]
    result = answer(quality(folder, *words, "-o", out, "--json"))
    found = {score["measure"]: score["value"] for score in result["scores"]}
    assert found["Frechet, EfficientNet"] > 10
    own = {s["measure"]: s["value"] for s in result["bounds"] if s["method"] == "the class"}
    assert abs(own["kernel, EfficientNet"]) < found["kernel, EfficientNet"]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A CLIP picture encoder with random weights."""
    from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModelWithProjection

    small = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    config = CLIPVisionConfig(
        **small, num_hidden_layers=1, image_size=32, patch_size=8, projection_dim=8
    )
    torch.manual_seed(0)
    place = tmp_path / "clip"
    CLIPVisionModelWithProjection(config).save_pretrained(place)
    size = {"crop_size": {"height": 32, "width": 32}, "size": {"shortest_edge": 32}}
    CLIPImageProcessorPil(**size).save_pretrained(place)
    return place


def test_the_clip_distance_is_from_the_mean_of_the_class(
    folder: Path, out: Path, clip: Path
) -> None:
    words = ["-m", "nin/chm", "-n", "2", "--draws", "2", "--features", "clip", "--clip", clip]
    result = answer(quality(folder, *words, "-o", out, "--json"))
    scores = [*result["scores"], *result["bounds"]]
    distances = [s["value"] for s in scores if s["measure"] == "CLIP distance"]
    assert len(distances) == 3
    assert all(0 < distance < 1 for distance in distances)
    (clip / "model.safetensors").write_bytes(b"no weights")
    refused(quality(folder, *words, "-o", out), 1, "CLIP model", "cannot be loaded")


def test_without_matplotlib_there_are_the_numbers(
    folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.chdir(out.parent)
    words = ["-m", "nin/chm", "-n", "2", "--draws", "2"]
    named = quality(folder, *words, "-o", out)
    unnamed = quality(folder, *words)
    assert (named.exit_code, unnamed.exit_code) == (1, 0)
    assert "out.png was not drawn" in named.stderr
    for shown in (named, unnamed):
        assert "latmix[figures]" in shown.stderr
    assert not out.exists()
    assert named.stdout.endswith("out.csv\n" + str(out.with_suffix(".json")) + "\n")
    assert unnamed.stdout.endswith("pictures-quality.csv\npictures-quality.json\n")


def test_a_network_that_is_missing_is_a_sentence_before_any_work(
    folder: Path, out: Path, tmp_path: Path, cold_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    told = {
        "efficientnet": "latmix[eval]",
        "inception": "--inception",
        "clip": "hf download",
        "vae,clap": "Known: vae, efficientnet, inception, clip",
        ",": "names nothing",
    }
    for features, said in told.items():
        code = 1 if features in ("efficientnet", "inception", "clip") else 2
        refused(quality(folder, "-o", out, "--features", features), code, said)
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"")
    words = ["--features", "inception", "--inception", weights]
    refused(quality(folder, "-o", out, *words), 1, "torch_fidelity", "latmix[eval]")
    assert not list(cold_home.glob("latents"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--methods", "nin/cmh"], "did you mean nin/chm"),
        (["-n", "2,64"], "there are 6"),
        (["--draws", "1"], "draws"),
        (["-o", "figure.jpg"], ".svg"),
    ],
)
def test_words_that_cannot_be_meant(folder: Path, words: list[str], said: str) -> None:
    refused(quality(folder, *words), 2, said)


def test_an_empty_class_and_one_of_a_single_picture(
    folder: Path, tmp_path: Path, cold_home: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    out = tmp_path / "out.png"
    refused(quality(empty, "-o", out), 1, "no pictures")
    alone = quality(folder / "face-0.png", "-n", "1", "--draws", "2", "-m", "nin/0", "-o", out)
    refused(alone, 1, "fewer than two pictures")
    assert not list(cold_home.glob("latents"))


def test_pictures_of_the_class_that_cannot_be_read_are_named_once(folder: Path, out: Path) -> None:
    reasons = spoil(folder)
    words = ["-m", "nin/0", "-n", "2", "--draws", "2"]
    result = quality(folder, *words, "-o", out, "--json")
    assert result.exit_code == 3
    content = answer(result)
    assert (content["class"], len(content["failures"])) == (6, len(reasons))
    for name in reasons:
        assert sum(name in line for line in result.stderr.splitlines()) == 1
