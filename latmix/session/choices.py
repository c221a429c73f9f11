"""What the user chooses: an edit makes new choices, and undo brings the old ones back."""

from __future__ import annotations

from dataclasses import dataclass

from latmix.mixing.grid import DEFAULT_METHOD
from latmix.mixing.mixture import Mixture
from latmix.sampling.solvers import DEFAULT_SOLVER, INNER_STEPS, find_solver


@dataclass(frozen=True)
class Choices:
    """What the user has chosen; an edit makes a new one, and undo brings the old one back.

    Attributes:
        mixture: pictures by path, with weights; None before a folder is open.
        seed: of the mixture's random weights; None where they were set otherwise.
        method: a name of the grid.
        prompt: a template with {name} and {folder}.
        guidance: while generating; None is what suits the model.
        inversion_guidance: while inverting.
        inner_steps: of null-text's optimiser.
    """

    mixture: Mixture | None = None
    seed: int | None = None
    method: str = DEFAULT_METHOD
    prompt: str = ""
    negative: str = ""
    steps: int = 50
    guidance: float | None = None
    inversion_guidance: float = 1.0
    solver: str = DEFAULT_SOLVER
    inner_steps: int = INNER_STEPS
    size: tuple[int, int] | None = None
    fit: str = "crop"

    def same_latents(self, other: Choices) -> bool:
        """Whether pictures inverted under one are inverted under the other."""
        names = ["prompt", "negative", "steps", "inversion_guidance", "solver", "size", "fit"]
        if find_solver(self.solver).is_fitted:
            names += ["guidance", "inner_steps"]
        return all(getattr(self, name) == getattr(other, name) for name in names)


@dataclass(frozen=True)
class Machine:
    """Where jobs run, and how many pictures at a time: `--device`, `--dtype`, `--batch`,
    `--offload`."""

    device: str = "auto"
    dtype: str = "auto"
    batch: int | None = None
    offload: str = "none"
