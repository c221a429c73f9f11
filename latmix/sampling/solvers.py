"""The ways from a picture to noise and back, in one table. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from latmix.mixing.companions import SECOND, UNCONDITIONAL
from latmix.names import display_name

if TYPE_CHECKING:
    from latmix.models.model_source import ModelSource

DEFAULT_SOLVER = "fixed-point"

INNER_STEPS = 10
"""Of null-text's optimiser, at most, for each step of the trajectory, as its paper has them."""


@dataclass(frozen=True)
class Solver:
    """How a picture is inverted, and how what it was inverted to is generated.

    Attributes:
        name: as the user chooses it.
        sentence: what it does, for the user.
        source: who described it.
        calls: network evaluations of an inverting step, on average.
        generating_calls: of a generating one.
        generates: the solver whose steps generate what this one has inverted.
        is_iterative: its steps, or the first of them, are solved to a tolerance.
        inverts: the solver whose steps invert, where they are not its own.
        is_for_guiding: it changes classifier-free guidance, and needs a model that has it.
        is_fitted: what it finds is fitted to one guidance, at which its pictures come back.
        least_steps: it cannot do with fewer.
        companions: what it finds beside a latent, by name (`mixing.companions`).
        is_for_flows: it steps between the levels of a rectified flow, and cannot in a diffusion.
    """

    name: str
    sentence: str
    source: str
    calls: float
    generating_calls: float = 1.0
    generates: str = "ddim"
    inverts: str = ""
    is_iterative: bool = False
    is_for_guiding: bool = False
    is_for_flows: bool = False
    is_fitted: bool = False
    least_steps: int = 1
    companions: tuple[str, ...] = ()

    @property
    def replaces_negative(self) -> bool:
        """Whether it takes the negative prompt's place, and inverts at guidance 1 only."""
        return self.is_for_guiding and not self.is_fitted

    def suits(self, source: ModelSource) -> bool:
        """Whether it can invert for this model."""
        if self.is_for_guiding and source.guiding != "classifier-free":
            return False
        return not self.is_for_flows or source.schedule.prediction == "flow"


SOLVERS: dict[str, Solver] = {
    solver.name: solver
    for solver in (
        Solver(
            "fixed-point",
            "Inverts each generating step exactly.",
            "Pan et al. 2309.04907",
            4.5,
            is_iterative=True,
        ),
        Solver(
            "ddim",
            "DDIM inversion, Euler's step in a flow: to first order.",
            "Song et al. 2010.02502",
            1.0,
        ),
        Solver(
            "shared-noise",
            "The same noise added to every picture first, then ddim.",
            "Staniszewski et al. 2410.23530",
            1.0,
        ),
        Solver(
            "renoise",
            "Renoises every step, averages, and moves what it adds towards noise.",
            "ReNoise, Garibi et al. 2403.14602",
            5.0,
        ),
        Solver(
            "negative-prompt",
            "As fixed-point; guidance is away from the pictures' own prompts.",
            "Miyake et al. 2305.16807",
            4.5,
            generates="negative-prompt",
            inverts="fixed-point",
            is_iterative=True,
            is_for_guiding=True,
        ),
        Solver(
            "null-text",
            "As fixed-point; then an embedding for each step, to come back at the guidance.",
            "Mokady et al. 2211.09794",
            30.0,
            is_iterative=True,
            is_for_guiding=True,
            is_fitted=True,
            companions=(UNCONDITIONAL,),
        ),
        Solver(
            "midpoint",
            "Midpoint steps both ways, to second order; for flows.",
            "RF-Solver, Wang et al. 2411.04746",
            2.0,
            generating_calls=2.0,
            generates="midpoint",
            is_for_flows=True,
        ),
        Solver(
            "fireflow",
            "Midpoint steps both ways at half the cost; for flows.",
            "Deng et al. 2412.07517",
            1.0,
            generates="fireflow",
            is_for_flows=True,
        ),
        Solver(
            "belm",
            "A pair of latents whose every step can be undone, at any guidance.",
            "Wang et al. 2410.07273",
            1.1,
            generates="belm",
            is_iterative=True,
            least_steps=2,
            companions=(SECOND,),
        ),
    )
}

GENERATING = tuple(dict.fromkeys(solver.generates for solver in SOLVERS.values()))
"""The solvers whose steps generate."""

ALIASES = {"euler": "ddim"}
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
