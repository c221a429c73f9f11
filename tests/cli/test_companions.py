"""Solvers with companions from the command line, and back from the recipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from latmix.images.pictures import read_picture
from latmix.measures.likeness import psnr
from latmix.models.source import find_model
from latmix.results.recipes import read_recipe
from latmix.session.choices import Choices
from latmix.session.presets import find_preset
from tests.support.command import cli

QUICK = ("--solver", "null-text", "--steps", "3", "--inner-steps", "1", "--device", "cpu")
PAIR = ("--solver", "belm", "--steps", "3", "--device", "cpu")


def test_the_inversion_is_fitted_to_the_guidance_of_generating() -> None:
    source = find_model("mini")
    for choices, expected in (
        (Choices(solver="null-text"), source.guidance),
        (Choices(solver="null-text", guidance=4.0), 4.0),
        (Choices(solver="null-text", guidance=4.0, inversion_guidance=2.0), 2.0),
        (Choices(guidance=4.0), 1.0),
        (Choices(**find_preset("paper-null-text")), 7.5),
    ):
        assert choices.for_model(source)[0].guidance == expected


def test_a_result_is_made_again_from_its_recipe(folder: Path, tmp_path: Path) -> None:
    out, again = tmp_path / "out.png", tmp_path / "again.png"
    done = cli("centroid", folder, "-n", "2", "--guidance", "3", *QUICK, "-o", out)
    assert done.exit_code == 0, done.output
    recipe = read_recipe(out)
    assert recipe.inversion["solver"] == "null-text"
    assert (recipe.inversion["guidance"], recipe.inversion["inner_steps"]) == (3.0, 1)
    assert cli("replay", out, "-o", again, "--device", "cpu").exit_code == 0
    assert psnr(read_picture(out), read_picture(again)) > 60
    told = cli("invert", folder, "-n", "2", "--inversion-guidance", "3", *QUICK, "--json")
    assert json.loads(told.stdout)["cached"] == 2
    assert "companion unconditional" in " ".join(cli("store", "size").stdout.split())


def test_a_mixture_of_pairs_is_made_again(folder: Path, tmp_path: Path) -> None:
    out, again = tmp_path / "out.png", tmp_path / "again.png"
    done = cli("sweep", folder, "-n", "1,2", "-m", "nin/chm,slerp/0", *PAIR, "-o", out)
    assert done.exit_code == 0, done.output
    made = tmp_path / "out-cells" / "slerp-0-n2.png"
    assert read_recipe(made).generation["solver"] == "belm"
    assert cli("replay", made, "-o", again, "--device", "cpu").exit_code == 0
    assert psnr(read_picture(made), read_picture(again)) > 60
    told = cli("invert", folder, "-n", "2", *PAIR, "--report", "--json")
    content = json.loads(told.stdout)
    assert content["cached"] == 2
    assert content["psnr"]["reconstruction"] > 60


@pytest.mark.parametrize("command", ["stats", "invert"])
def test_latents_with_companions_are_measured_as_any(folder: Path, command: str) -> None:
    words = ["--report"] if command == "invert" else []
    done = cli(command, folder, "-n", "2", *QUICK, *words, "--json")
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["images"]) == 2


def test_inner_steps_are_null_texts_only(folder: Path) -> None:
    words = ["--steps", "2", "--solver", "ddim", "--inner-steps", "3", "--device", "cpu"]
    done = cli("invert", folder, "-n", "1", *words)
    assert "ddim has no inner steps" in done.stderr
