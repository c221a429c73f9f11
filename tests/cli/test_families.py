"""The commands on models of other families than the built-in one's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from latmix.results.recipes import read_recipe
from tests.support import tiny
from tests.support.command import answer, cli, refused

QUICK = ("--steps", "3", "--device", "cpu")


@pytest.fixture(scope="session")
def sd3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("family") / "sd3"
    torch.manual_seed(1)
    tiny.stable_diffusion_3(place)
    return place


def test_a_flow_model_does_all_that_the_built_in_one_does(
    sd3: Path, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    words = [folder, "-n", "3", "--model", sd3, "--prompt", "face", *QUICK]
    made = answer(cli("centroid", *words, "--json", "-o", out))
    assert Image.open(out).size == (64, 64)
    assert len(made["stats"]["channel_mean"]) == 16
    shown = answer(cli("stats", *words, "--json"))
    assert shown["stats"] == made["stats"]
    assert shown["cached"] == 3
    again = cli("replay", out, folder, "--device", "cpu", "-o", tmp_path / "again.png")
    assert "The same picture" in again.stderr
    mixed = answer(
        cli("mix", folder, "-w", "face-0=1", "-w", "face-1=2", "--json", *words[3:], "-o", out)
    )
    assert [image["weight"] for image in mixed["images"]] == pytest.approx([1 / 3, 2 / 3])


def test_the_solver_that_inverted_generates_and_is_kept(
    sd3: Path, folder: Path, tmp_path: Path
) -> None:
    out, words = tmp_path / "out.png", [folder, "-n", "2", "--model", sd3, *QUICK]
    cli("centroid", *words, "--solver", "fireflow", "-o", out)
    recipe = read_recipe(out)
    assert recipe.inversion["solver"] == recipe.generation["solver"] == "fireflow"
    again = cli("replay", out, folder, "--device", "cpu", "-o", tmp_path / "again.png")
    assert "The same picture" in again.stderr
    assert answer(cli("stats", *words, "--solver", "midpoint", "--json"))["cached"] == 0
    assert answer(cli("stats", *words, "--solver", "fireflow", "--json"))["cached"] == 2


def test_a_solver_of_flows_is_not_for_diffusion(folder: Path) -> None:
    words = [folder, "--model", "mini", "--solver", "midpoint", *QUICK]
    refused(cli("centroid", *words), 2, "mini, which can use fixed-point, ddim")


def test_negative_prompt_needs_guidance(folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    tiny.ddpm(tmp_path / "ddpm")
    words = [folder, "--solver", "negative-prompt", *QUICK]
    refused(cli("centroid", *words, "--model", tmp_path / "ddpm"), 2, "can use fixed-point, ddim")
    refused(cli("centroid", *words, "--inversion-guidance", "3"), 2, "inverts at guidance 1")


def test_a_flow_model_is_shown(sd3: Path) -> None:
    shown = answer(cli("models", "show", sd3, "--json"))
    assert (shown["prediction"], shown["spacing"]) == ("flow", "shifted by 3")
    assert shown["latents"] == [16, 8, 8]


def test_a_size_that_does_not_fit_names_the_nearest(sd3: Path, folder: Path) -> None:
    refused(cli("stats", folder, "--model", sd3, "--size", "72x64", *QUICK), 2, "80x64")


def test_each_of_many_channels_has_its_line_and_all_fit(sd3: Path, folder: Path) -> None:
    lines = cli("stats", folder, "-n", "2", "--model", sd3, *QUICK).stdout.splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("channel")) + 1
    assert [line.split()[0] for line in lines[first : first + 16]] == [str(c) for c in range(16)]
    assert max(map(len, lines[: first + 16])) <= 80


def test_what_a_model_takes_no_notice_of_is_said(folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    tiny.ddpm(tmp_path / "ddpm")
    words = [folder, "-n", "2", "--model", tmp_path / "ddpm", "--prompt", "face", *QUICK]
    made = cli("centroid", *words, "--negative", "cat", "-o", tmp_path / "out.png")
    assert made.exit_code == 0
    assert "takes no prompt" in made.stderr
    assert "takes no negative prompt" in made.stderr
