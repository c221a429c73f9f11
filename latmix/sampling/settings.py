"""How a picture is inverted and how one is generated: values that go into keys and recipes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from latmix.images.fits import FITS
from latmix.names import display_name
from latmix.sampling.solvers import DEFAULT_SOLVER, GENERATING, find_solver
from latmix.sampling.solvers.null_text import INNER_STEPS
from latmix.sampling.solvers.solver import PLAIN

STEPS = 50
"""Of a trajectory, both ways."""

GUIDANCE = 1.0
"""Of inverting: none, which keeps latents close to noise."""

FIT = FITS[0]
"""How pictures are brought to a size."""

SIZE = "two positive whole numbers"
"""What a size must be, for a sentence."""

TOLERANCES = {"float32": 1e-5, "float16": 5e-4, "bfloat16": 2e-3}
"""Fixed-point tolerance by the network's type: tighter than its rounding would never be reached."""


@dataclass(frozen=True)
class InversionSettings:
    """How pictures become noise latents. Part of a latent's key in the store.

    Attributes:
        size: width and height in pixels that pictures are brought to.
        fit: how: crop, pad or stretch.
        steps: of the trajectory.
        guidance: classifier-free guidance while inverting; 1 keeps latents close to noise.
        solver: a name of `solvers.SOLVERS`, or an alias, which becomes the name.
        negative: the negative prompt; matters only where guidance is not 1.
        inner_steps: of null-text's optimiser, at most, for each step; no other solver has any.
    """

    size: tuple[int, int]
    fit: str = FIT
    steps: int = STEPS
    guidance: float = GUIDANCE
    solver: str = DEFAULT_SOLVER
    negative: str = ""
    inner_steps: int = INNER_STEPS

    def __post_init__(self) -> None:
        _check(self.steps, self.guidance, self.negative)
        if type(self.inner_steps) is not int or self.inner_steps < 1:
            raise ValueError(f"inner_steps must be at least 1, not {self.inner_steps!r}.")
        if not (isinstance(self.size, tuple) and is_size(self.size)):
            raise ValueError(f"size must be {SIZE}, not {self.size!r}.")
        if self.fit not in FITS:
            shown = display_name(str(self.fit))
            raise ValueError(f"fit must be one of {', '.join(FITS)}, not {shown!r}.")
        object.__setattr__(self, "solver", find_solver(self.solver).name)
        least = find_solver(self.solver).least_steps
        if self.steps < least:
            raise ValueError(f"steps must be at least {least} for {self.solver}.")
        if find_solver(self.solver).replaces_negative and self.guidance != 1.0:
            raise ValueError(
                f"solver {self.solver} inverts at guidance 1, not {self.guidance:g}; "
                "guide while generating."
            )

    @property
    def is_guided(self) -> bool:
        """Whether guidance, where it takes two calls, takes them."""
        return self.guidance != 1.0 and not find_solver(self.solver).is_fitted

    def as_json(self) -> dict[str, object]:
        values = asdict(self) | {"size": list(self.size)}
        if not find_solver(self.solver).is_fitted:
            del values["inner_steps"]
        return values


@dataclass(frozen=True)
class GenerationSettings:
    """How noise latents become pictures.

    Attributes:
        solver: whose steps generate: `Solver.generates` of the one that inverted.
        draft: steps of DPM-Solver++(2M) that stand in for them; 0 is none.
        prompt: what all results are told; None is the mixture of their pictures' own prompts.
    """

    guidance: float
    steps: int = STEPS
    negative: str = ""
    solver: str = PLAIN
    draft: int = 0
    prompt: str | None = None

    def __post_init__(self) -> None:
        _check(self.steps, self.guidance, self.negative)
        if not isinstance(self.prompt, str | None):
            raise ValueError(f"prompt must be text, not {self.prompt!r}.")
        object.__setattr__(self, "solver", find_solver(self.solver).name)
        if self.solver not in GENERATING:
            known = ", ".join(GENERATING)
            raise ValueError(f"the generating solver must be one of {known}, not {self.solver}.")
        if type(self.draft) is not int or not 0 <= self.draft <= self.steps:
            raise ValueError(
                f"a draft must have from 1 to the {self.steps} steps of the whole, "
                f"not {self.draft!r}."
            )

    @property
    def is_guided(self) -> bool:
        """Whether guidance, where it takes two calls, takes them."""
        return self.guidance != 1.0 and not find_solver(self.solver).replaces_negative

    def as_json(self) -> dict[str, object]:
        """All of it; a draft and a prompt only where there is one, as in older results."""
        content = asdict(self)
        if not self.draft:
            del content["draft"]
        if self.prompt is None:
            del content["prompt"]
        return content


def is_size(value: object) -> bool:
    """Whether a value is a width and a height, also as JSON has them."""
    sides = value if isinstance(value, list | tuple) else ()
    return len(sides) == 2 and all(type(side) is int and side > 0 for side in sides)


def fitted_guidance(solver: str, asked: float, generating: float) -> float:
    """The guidance to invert at: what is asked, but a fitted solver, which has nothing to do at 1,
    then takes that of generating.

    Raises:
        ValueError: an unknown solver.
    """
    return generating if asked == GUIDANCE and find_solver(solver).is_fitted else asked


def _check(steps: object, guidance: object, negative: object) -> None:
    """Types too: settings are also read from recipes, which anybody may have written."""
    if type(steps) is not int or steps < 1:
        raise ValueError(f"steps must be at least 1, a whole number, not {steps!r}.")
    number = isinstance(guidance, int | float) and math.isfinite(guidance)
    if not number or guidance < 0:  # type: ignore[operator]
        raise ValueError(f"guidance must be a finite number of at least 0, not {guidance!r}.")
    if not isinstance(negative, str):
        raise ValueError(f"negative must be text, not {negative!r}.")
