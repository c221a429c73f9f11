"""From a recipe back to settings: to make a result again, or to go back to what was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from latmix.errors import StoreError
from latmix.results.recipes import Recipe
from latmix.sampling.settings import GenerationSettings, InversionSettings
from latmix.session.choices import Choices


def settings(recipe: Recipe) -> tuple[InversionSettings, GenerationSettings]:
    """What a result was made with.

    Raises:
        StoreError: they are damaged.
    """
    written = dict(recipe.inversion)
    with _explained():
        inverting = InversionSettings(**(written | {"size": tuple(written["size"])}))
        return inverting, GenerationSettings(**recipe.generation)


def choices(recipe: Recipe) -> Choices:
    """What was asked for; where an older recipe does not say it, what that came to.

    Raises:
        StoreError: they are damaged.
    """
    named = {"seed": recipe.seed, "method": recipe.method, "prompt": recipe.prompt}
    came_to = _came_to(*settings(recipe))
    with _explained():
        return Choices.read({**came_to, **recipe.asked, **named})


def unlike(
    asked: Choices, inverting: InversionSettings, generating: GenerationSettings
) -> dict[str, Any]:
    """The settings that came to something else than was asked for, as they were asked for."""
    came_to = _came_to(inverting, generating).items()
    return {n: getattr(asked, n) for n, value in came_to if getattr(asked, n) != value}


def _came_to(inverting: InversionSettings, generating: GenerationSettings) -> dict[str, Any]:
    """Settings of sampling by the names that they are chosen by."""
    both = vars(generating) | vars(inverting)
    del both["prompt"]
    return both | {
        "guidance": generating.guidance,
        "inversion_guidance": inverting.guidance,
        "result_prompt": generating.prompt,
    }


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError, KeyError) as error:
        raise StoreError(f"The recipe's settings cannot be used: {error}.") from error
