"""What a front end asks of the jobs: pictures, weights and settings as they were when it asked.

An order does not change while its job runs, whatever is edited meanwhile. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latmix.sampling.solvers import INNER_STEPS

if TYPE_CHECKING:
    from latmix.models.source import ModelSource
    from latmix.sampling.settings import GenerationSettings, InversionSettings


@dataclass(frozen=True)
class Order:
    """Pictures to invert, and the mixture to generate from them.

    Attributes:
        paths: pictures to invert.
        weights: by path; a picture that is not named has none.
        prompt: a template with {name} and {folder}.
        guidance: while generating; None is what suits the model.
        size: width and height in pixels; None is the model's.
        seed: of random weights, or None.
    """

    paths: tuple[Path, ...]
    weights: Mapping[str, float]
    method: str
    prompt: str
    negative: str
    steps: int
    guidance: float | None
    inversion_guidance: float
    solver: str
    size: tuple[int, int] | None
    fit: str
    seed: int | None = None
    inner_steps: int = INNER_STEPS

    def inversion_settings(self, source: ModelSource) -> InversionSettings:
        """How this model inverts the pictures.

        Raises:
            ValueError: a setting cannot be used.
        """
        from latmix.sampling.settings import InversionSettings, fitted_guidance
        from latmix.sampling.solvers import check_solver

        generating = self.generation_settings(source).guidance
        settings = InversionSettings(
            size=self.size or source.size,
            fit=self.fit,
            steps=self.steps,
            guidance=fitted_guidance(self.solver, self.inversion_guidance, generating),
            solver=self.solver,
            negative=self.negative,
            inner_steps=self.inner_steps,
        )
        source.latent_shape(settings.size)
        check_solver(settings.solver, source)
        return settings

    def generation_settings(self, source: ModelSource) -> GenerationSettings:
        """How this model generates the picture.

        Raises:
            ValueError: a setting cannot be used.
        """
        from latmix.sampling.settings import GenerationSettings
        from latmix.sampling.solvers import find_solver

        guidance = source.guidance if self.guidance is None else self.guidance
        return GenerationSettings(
            guidance, self.steps, self.negative, find_solver(self.solver).generates
        )
