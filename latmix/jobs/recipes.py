"""From a run to its recipe, and from a recipe back to the pictures it names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from latmix.errors import PictureError, StoreError
from latmix.images.files import content_hash
from latmix.jobs.inversion import Inversion
from latmix.jobs.pictures import PictureRow
from latmix.jobs.workbench import Workbench
from latmix.names import display_name, plural
from latmix.results.recipes import Ingredient, Recipe, current_versions
from latmix.sampling.settings import GenerationSettings, InversionSettings
from latmix.session.choices import Choices
from latmix.session.from_recipe import unlike


def build_recipe(
    bench: Workbench,
    inversion: Inversion,
    weights: Sequence[float],
    generation: GenerationSettings,
    choices: Choices,
) -> Recipe:
    """The recipe of a mixture; pictures without weight are left out.

    Args:
        weights: in the order of the inversion's pictures, summing to 1.
        choices: what was asked for, with the mixture's method and seed.
    """
    images = tuple(
        Ingredient(display_name(row.path), row.sha256, float(weight), row.prompt)
        for row, weight in zip(inversion.rows, weights, strict=True)
        if weight > 0
    )
    return Recipe(
        images=images,
        method=choices.method,
        model={
            "name": bench.source.name,
            "fingerprint": bench.source.fingerprint,
            "dtype": bench.dtype,
        },
        inversion=inversion.settings.as_json(),
        generation=generation.as_json(),
        prompt=choices.prompt,
        seed=choices.seed,
        versions=current_versions(),
        asked=unlike(choices, inversion.settings, generation),
    )


def find_ingredients(
    bench: Workbench, recipe: Recipe, settings: InversionSettings, places: Iterable[Path]
) -> list[PictureRow]:
    """Where each picture of a recipe is, by content; one whose latent is stored needs no file.

    Args:
        places: files to look among, beside the paths that the recipe names.

    Raises:
        StoreError: a picture is neither stored nor found; the sentence names it.
    """
    space = bench.space(settings)
    rows = [PictureRow(Path(i.path), i.sha256, i.prompt) for i in recipe.images]
    absent = set(space.missing([row.key for row in rows]))
    wanted = {rows[index].sha256 for index in absent}
    found = files_by_content([*(rows[index].path for index in absent), *places], wanted)
    lost = [rows[index] for index in sorted(absent) if rows[index].sha256 not in found]
    if lost:
        raise StoreError(
            f"{plural(len(lost), 'picture')} of the recipe cannot be found, "
            f"the first being {display_name(lost[0].path)}.",
            "Name the folder they are in after the result.",
        )
    return [PictureRow(found.get(row.sha256, row.path), row.sha256, row.prompt) for row in rows]


def files_by_content(paths: Iterable[Path], wanted: set[str]) -> dict[str, Path]:
    """Files by their hash, as far as they are wanted; stops once all are found."""
    found: dict[str, Path] = {}
    for path in dict.fromkeys(paths):
        if wanted <= found.keys():
            break
        try:
            sha256 = content_hash(path)
        except PictureError:
            continue
        if sha256 in wanted:
            found.setdefault(sha256, path)
    return found
