"""The table of solvers: what is in it, and which models each is for."""

from __future__ import annotations

import pytest

from latmix.models.protocol import Model
from latmix.sampling.settings import InversionSettings
from latmix.sampling.solvers import ALIASES, SOLVERS, check_solver, find_solver


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
    with pytest.raises(ValueError, match="solver must be one of fixed-point, ddim"):
        find_solver(name)  # type: ignore[arg-type]


def test_every_model_can_be_inverted_by_the_plain_ones(mini: Model) -> None:
    assert [check_solver(name, mini.source).name for name in ("ddim", "fixed-point")]
