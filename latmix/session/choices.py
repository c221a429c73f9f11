"""What the user chooses: an edit makes new choices, and undo brings the old ones back.

Each setting stands here once, with all that every front needs to know of it (`session.fields`).
Needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from latmix.images.fits import FITS
from latmix.mixing.grid import DEFAULT_METHOD, parse_method
from latmix.mixing.mixture import Mixture
from latmix.sampling import settings as sampling
from latmix.sampling import solvers
from latmix.sampling.settings import GenerationSettings, InversionSettings
from latmix.sampling.solvers.null_text import INNER_STEPS
from latmix.session.fields import (
    TEXT,
    Line,
    Number,
    OneOf,
    Size,
    Whole,
    never,
    rows,
    setting,
    where_fitted,
)

if TYPE_CHECKING:
    from latmix.models.source import ModelSource

USUAL_COUNT = 8
"""Pictures that are taken, for a new mixture above all, where nobody says how many."""

ANY_SIZE = (64, 64)
"""Stands for the size of a model that is not known yet."""


@dataclass(frozen=True)
class Choices:
    """What the user has chosen; an edit makes a new one, and undo brings the old one back.

    Attributes:
        mixture: pictures by path, with weights; None before a folder is open.
        seed: of the mixture's random weights; None where they were set otherwise.
        method: a name of the grid.
        prompt: a template with {name} and {folder}.
        guidance: while generating; None is what suits the model.
        inversion_guidance: while inverting; a fitted solver takes 1 for that of generating.
        size: width and height in pixels; None is the model's.
        draft: steps of a draft that stands in for a result; 0 is none.
        result_prompt: what a result is told; None is the mixture of its pictures' prompts.
    """

    mixture: Mixture | None = None
    seed: int | None = None
    method: str = DEFAULT_METHOD
    prompt: str = setting(
        "",
        TEXT,
        "What the pictures show; {name} and {folder} are filled in. A file name.txt beside a "
        "picture wins.",
    )
    negative: str = setting(
        "",
        TEXT,
        "Negative prompt.",
        Line(8, "What pictures shall not show; empty is nothing.", empty="nothing"),
        called="negative prompt",
    )
    steps: int = setting(
        sampling.STEPS,
        Whole(),
        "Steps, both ways.",
        Line(1, "Of a result, both ways. Other steps mean other latents."),
        offer="Of a result, or of a draft.",
    )
    guidance: float | None = setting(
        None,
        Number("a number, or empty"),
        "Guidance while generating.",
        Line(2, "While generating; empty is what suits the model.", empty="as suits the model"),
        default_words="the model's",
        offer="While generating.",
        is_generating=True,
        latents=where_fitted,
    )
    inversion_guidance: float = setting(
        sampling.GUIDANCE,
        Number(),
        "Guidance while inverting.",
        Line(5, "While inverting; 1 keeps latents close to noise."),
    )
    solver: str = setting(
        solvers.DEFAULT_SOLVER,
        OneOf({name: each.sentence for name, each in solvers.SOLVERS.items()}, solvers.ALIASES),
        f"{', '.join(solvers.SOLVERS)}: how pictures are inverted.",
        Line(4),
    )
    inner_steps: int = setting(
        INNER_STEPS,
        Whole(),
        "Of null-text, at most, for each step.",
        latents=where_fitted,
        needed=where_fitted,
    )
    size: tuple[int, int] | None = setting(
        None,
        Size(),
        "WIDTHxHEIGHT in pixels.",
        Line(6, "Of pictures in pixels: 512 or 768x512; empty is the model's.", "the model's"),
        default_words="the model's",
    )
    fit: str = setting(
        sampling.FIT,
        OneOf(dict.fromkeys(FITS, "")),
        "crop, pad or stretch.",
        Line(7, "How a picture is brought to that size."),
        offer="How a picture is brought to the model's size.",
    )
    draft: int = setting(
        0,
        Whole(0),
        "Generate in this many steps of DPM-Solver++ instead, such as 10.",
        default_words="none",
        is_generating=True,
        latents=never,
        is_kept=False,
    )
    result_prompt: str | None = setting(
        None,
        TEXT,
        "What the result is told.",
        default_words="--prompt-mix",
        is_generating=True,
        latents=never,
        is_kept=False,
    )

    def kept(self) -> dict[str, Any]:
        """What a session keeps, and what going back to a result restores, but for the mixture."""
        names = ["seed", "method", *(row.name for row in SETTINGS if row.is_kept)]
        return {name: getattr(self, name) for name in names}

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Choices:
        """The choices of plain JSON.

        Raises:
            ValueError: one cannot be used. TypeError: there is no such choice.
        """
        known = {row.name: row for row in SETTINGS}
        settings = {n: known[n].read(v) if n in known else v for n, v in content.items()}
        parse_method(settings.get("method", DEFAULT_METHOD))
        return cls(**settings)

    def same_latents(self, other: Choices) -> bool:
        """Whether pictures inverted under one are inverted under the other."""
        solver = solvers.find_solver(self.solver)
        names = [row.name for row in SETTINGS if row.latents(solver)]
        return all(getattr(self, name) == getattr(other, name) for name in names)

    def for_model(self, source: ModelSource) -> tuple[InversionSettings, GenerationSettings]:
        """How this model inverts and generates: what was left to the model is filled in.

        Raises:
            ValueError: a setting cannot be used, or not with this model.
        """
        guidance = source.guidance if self.guidance is None else self.guidance
        inverting, generating = self._resolved(self.size or source.size, guidance)
        source.latent_shape(inverting.size)
        solvers.check_solver(inverting.solver, source)
        return inverting, generating

    def check(self) -> None:
        """Raises: ValueError: a setting could be used with no model; the sentence names it."""
        self._resolved(self.size or ANY_SIZE, self.guidance or 0.0)

    def _resolved(
        self, size: tuple[int, int], guidance: float
    ) -> tuple[InversionSettings, GenerationSettings]:
        fitted = sampling.fitted_guidance(self.solver, self.inversion_guidance, guidance)
        inverting = self._shared(InversionSettings) | {"size": size, "guidance": fitted}
        generating = self._shared(GenerationSettings) | {
            "guidance": guidance,
            "solver": solvers.find_solver(self.solver).generates,
            "prompt": self.result_prompt,
        }
        return InversionSettings(**inverting), GenerationSettings(**generating)

    def _shared(self, settings: type) -> dict[str, Any]:
        """What these settings and the choices have by the same name."""
        return {f.name: getattr(self, f.name) for f in fields(settings) if hasattr(self, f.name)}


SETTINGS = rows(Choices)
