"""The ways from a picture to noise and back: a class each, in one table. Needs no torch."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from latmix.names import display_name
from latmix.sampling.solvers.belm import Belm
from latmix.sampling.solvers.midpoint import FireFlow, Midpoint
from latmix.sampling.solvers.null_text import NullText
from latmix.sampling.solvers.renoise import Renoise
from latmix.sampling.solvers.solver import PLAIN, Solver
from latmix.sampling.solvers.stepwise import Ddim, FixedPoint, NegativePrompt, SharedNoise

if TYPE_CHECKING:
    from latmix.models.model_source import ModelSource

SOLVERS: dict[str, Solver] = {
    solver.name: solver
    for solver in (
        FixedPoint(),
        Ddim(),
        SharedNoise(),
        Renoise(),
        NegativePrompt(),
        NullText(),
        Midpoint(),
        FireFlow(),
        Belm(),
    )
}
"""In the order they are shown."""

DEFAULT_SOLVER = FixedPoint.name

GENERATING = tuple(dict.fromkeys(solver.generates for solver in SOLVERS.values()))
"""The solvers whose steps generate."""

ALIASES = {"euler": PLAIN}
"""Other names of the same step."""


def find_solver(name: str) -> Solver:
    """The solver of a name or an alias.

    Raises:
        ValueError: there is none.
    """
    # A recipe may hold any JSON here.
    solver = SOLVERS.get(ALIASES.get(name, name)) if isinstance(name, str) else None
    if solver is None:
        shown = display_name(str(name))
        raise ValueError(f"solver must be one of {', '.join(SOLVERS)}, not {shown!r}.")
    return solver


def check_solver(name: str, source: ModelSource) -> Solver:
    """The solver of a name, if it can be used with a model.

    Raises:
        ValueError: it cannot; the sentence names those that can.
    """
    solver = find_solver(name)
    if not solver.suits(source):
        known = ", ".join(other.name for other in SOLVERS.values() if other.suits(source))
        raise ValueError(f"solver {solver.name} is not for {source.name}, which can use {known}.")
    return solver


def generating_solver(solver: Solver, companions: Container[str], is_draft: bool) -> Solver:
    """What generates latents that have companions: the solver that found these.

    Args:
        solver: whose steps are asked for.
        is_draft: it starts from the noise alone, whose latents any steps may be asked for.

    Raises:
        ValueError: other steps are asked for than those of latents with such companions.
    """
    for found_by in SOLVERS.values():
        if any(name in companions for name in found_by.companions):
            if found_by.generates == solver.name:
                return found_by
            if found_by.is_fitted or not is_draft:
                raise ValueError(
                    f"{found_by.finds}: generate them with solver {found_by.name}, "
                    f"not {solver.name}."
                )
    return solver
