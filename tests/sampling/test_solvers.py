"""The table of solvers: what is in it, and which models each is for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

import latmix
from latmix.jobs.workbench import Workbench
from latmix.models.protocol import Model
from latmix.sampling.settings import GenerationSettings, InversionSettings
from latmix.sampling.solvers import ALIASES, SOLVERS, check_solver, find_solver
from latmix.store.latents import LatentStore


def test_every_solver_is_told_of() -> None:
    for name, solver in SOLVERS.items():
        assert solver.name == name
        assert solver.sentence.endswith(".")
        assert solver.source
        assert solver.calls >= 1
        assert solver.generates in SOLVERS


def test_an_alias_becomes_the_name() -> None:
    assert all(name in SOLVERS for name in ALIASES.values())
    assert InversionSettings((64, 64), solver="euler") == InversionSettings((64, 64), solver="ddim")


@pytest.mark.parametrize("name", ["magic", "", 5, None, ["ddim"]])
def test_an_unknown_solver_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match="solver must be one of fixed-point, "):
        find_solver(name)  # type: ignore[arg-type]


def test_every_model_can_be_inverted_by_the_plain_ones(mini: Model) -> None:
    assert [check_solver(name, mini.source).name for name in ("ddim", "fixed-point")]


@pytest.mark.parametrize("solver", ["midpoint", "fireflow"])
def test_a_solver_that_a_model_cannot_use_is_refused(
    mini: Model, tmp_path: Path, solver: str
) -> None:
    said = f"solver {solver} is not for mini, which can use fixed-point, ddim, "
    with pytest.raises(ValueError, match=said):
        latmix.invert(mini, Image.new("RGB", (64, 64)), solver=solver)
    with pytest.raises(ValueError, match=said):
        latmix.generate(mini, torch.zeros(4, 16, 16), solver=solver)
    bench = Workbench(mini.source, LatentStore(tmp_path))
    with pytest.raises(ValueError, match=said):
        bench.space(InversionSettings((64, 64), solver=solver))


def test_only_steps_that_generate_are_settings_of_generating() -> None:
    assert GenerationSettings(1.0, solver="fireflow").as_json()["solver"] == "fireflow"
    with pytest.raises(ValueError, match="must be one of ddim, negative-prompt, midpoint"):
        GenerationSettings(1.0, solver="fixed-point")


def test_a_key_holds_what_latents_depend_on_and_no_more() -> None:
    """Latents that are stored are found by it for ever."""

    def words(solver: str, guidance: float = 1.0) -> dict[str, object]:
        settings = InversionSettings((64, 64), steps=7, guidance=guidance, solver=solver)
        return SOLVERS[solver].key(settings.as_json(), tolerance=1e-5)

    plain = {"size": [64, 64], "fit": "crop", "steps": 7, "guidance": 1.0, "solver": "ddim"}
    assert words("ddim") == plain
    assert words("ddim", 3.0) == plain | {"guidance": 3.0, "negative": ""}
    exact = plain | {"solver": "fixed-point", "tolerance": 1e-5}
    assert words("fixed-point") == words("negative-prompt") == exact
    assert words("belm") == exact | {"solver": "belm"}
    fitted = {"solver": "null-text", "negative": "", "inner_steps": 10}
    assert words("null-text") == exact | fitted
