"""The job behind comparing: one set of latents mixed in several ways, generated in one batch.

Drafts: fewer steps than a result, and nothing is written. Needs no torch before it runs.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image

from latmix.errors import LatmixError
from latmix.jobs.progress import Progress

if TYPE_CHECKING:
    from latmix.jobs.inversion import Inversion
    from latmix.jobs.stored_mixtures import Mixed
    from latmix.jobs.workbench import Workbench
    from latmix.mixing.statistics import Statistics
    from latmix.sampling.settings import GenerationSettings


@dataclass(frozen=True)
class Wanted:
    """One way of mixing: its name on the screen, a method of the grid, weights by path."""

    name: str
    method: str
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Variant:
    """What came of it: a picture with its numbers, or the reason why there is none."""

    wanted: Wanted
    picture: Image.Image | None
    statistics: Statistics | None
    fault: str = ""


@dataclass(frozen=True)
class Variants:
    """All of them, in the order they were asked for."""

    variants: tuple[Variant, ...]
    seconds: float


def make_variants(
    bench: Workbench, inversion: Inversion, wanted: Sequence[Wanted], settings: GenerationSettings
) -> Generator[Progress, None, Variants]:
    """Mix and generate each; a mixture that cannot be made costs only itself.

    Args:
        settings: of a draft.

    Raises:
        LatmixError: nothing can be made of any.
    """
    from latmix.jobs.generation import generate_mixtures

    yield Progress("mix", 0, len(wanted))
    came: list[Mixed | str] = []
    for one in wanted:
        try:
            came.append(_mixed(inversion, one))
        except ValueError as error:
            came.append(str(error))
        yield Progress("mix", len(came), len(wanted))
    mixed = [each for each in came if not isinstance(each, str)]
    if not mixed:
        raise LatmixError(f"Nothing can be made of these weights: {came[0]}")
    made = yield from generate_mixtures(bench, inversion, _together(mixed), settings)
    pictures = iter(made.pictures)
    variants = [
        Variant(one, None, None, each)
        if isinstance(each, str)
        else Variant(one, next(pictures), each.statistics[0])
        for one, each in zip(wanted, came, strict=True)
    ]
    return Variants(tuple(variants), made.seconds)


def as_drafts(settings: GenerationSettings, steps: int) -> GenerationSettings:
    """The same settings as a draft of this many steps, unless the whole has no more."""
    return replace(settings, draft=steps) if steps < settings.steps else settings


def _mixed(inversion: Inversion, wanted: Wanted) -> Mixed:
    from latmix.jobs.stored_mixtures import mix_stored
    from latmix.mixing.grid import parse_method

    weights = [wanted.weights.get(str(row.path), 0.0) for row in inversion.rows]
    return mix_stored(inversion, [weights], parse_method(wanted.method))


def _together(mixed: Sequence[Mixed]) -> Mixed:
    import torch

    from latmix.jobs.stored_mixtures import Mixed

    return Mixed(
        torch.cat([one.latents for one in mixed]),
        torch.cat([one.weights for one in mixed]),
        tuple(statistics for one in mixed for statistics in one.statistics),
        tuple(method for one in mixed for method in one.methods),
    )
