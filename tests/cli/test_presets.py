"""What the paper's presets set, and what is stronger than they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from latmix.cli.command import PRESET, Settings
from latmix.cli.options import ModelOptions
from latmix.cli.run import chosen, machine
from latmix.models.source import find_model
from latmix.results.recipes import read_recipe
from latmix.session.choices import Choices
from tests.support.command import cli


@pytest.mark.parametrize(
    ("name", "steps", "guidance", "dtype", "solver"),
    [
        ("paper-sd15", 50, 7.5, "auto", "ddim"),
        ("paper-sd15-500", 500, 1.0, "float32", "ddim"),
        ("paper-sd35", 28, 4.5, "auto", "ddim"),
        ("paper-null-text", 50, 7.5, "auto", "null-text"),
    ],
)
def test_a_preset_is_the_same_both_ways(
    name: str, steps: int, guidance: float, dtype: str, solver: str
) -> None:
    given = Settings((PRESET,)).gather({"preset": name})
    inversion, generation = Choices(**chosen(Choices, given)).for_model(find_model("mini"))
    assert (inversion.steps, inversion.guidance, inversion.solver) == (steps, guidance, solver)
    assert (generation.steps, generation.guidance) == (steps, guidance)
    assert machine(ModelOptions(), given).dtype == dtype
    assert machine(ModelOptions(machine={"dtype": "bfloat16"}), given).dtype == "bfloat16"


def test_a_result_says_what_its_preset_set(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    words = ["--preset", "paper-sd35", "--steps", "3", "--size", "32", "--device", "cpu"]
    assert cli("centroid", folder, "-n", "2", *words, "-o", out).exit_code == 0
    recipe = read_recipe(out)
    assert (recipe.inversion["guidance"], recipe.inversion["solver"]) == (4.5, "ddim")
    assert recipe.generation == {"guidance": 4.5, "steps": 3, "negative": "", "solver": "ddim"}
