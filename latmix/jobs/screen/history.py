"""Results that were made before: what differs, copies elsewhere, and the way back to one.

Short, off the screen's thread: none needs the model or the device.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from latmix.disk import explained, write_durably
from latmix.errors import StoreError
from latmix.jobs.progress import Progress
from latmix.names import display_name, plural
from latmix.results.differences import Difference, recipe_differences
from latmix.results.names import free_name
from latmix.results.recipes import read_recipe
from latmix.session.choices import Choices


@dataclass(frozen=True)
class Revisited:
    """What a result was made from, found again.

    Attributes:
        folder: that its pictures lie in.
        recursive: whether some lie in subfolders of it.
        weights: by path.
        choices: method, prompt, seed and settings, as they were asked for.
        model: its name.
    """

    path: Path
    folder: Path
    recursive: bool
    weights: dict[Path, float]
    choices: Choices
    model: str


def compare_results(left: Path, right: Path) -> tuple[Difference, ...]:
    """What differs between two results' recipes.

    Raises:
        StoreError: one carries none.
    """
    return recipe_differences(read_recipe(left), read_recipe(right))


def export_results(paths: Sequence[Path], folder: Path) -> Generator[Progress, None, list[Path]]:
    """Copy results, recipes and all, into a folder, which is made where it is missing.

    Each keeps its name; where that is taken by another picture it gets a free one, and nothing is
    written over.

    Returns:
        where each is now, in order.

    Raises:
        StoreError: the folder cannot be made or written to.
    """
    copied: list[Path] = []
    for path in paths:
        yield Progress("export", len(copied), len(paths))
        with explained(folder):
            copied.append(_copied(path, folder))
    return copied


def revisit(path: Path, places: Sequence[Path]) -> Revisited:
    """Find the pictures that a result was made from, by content.

    Args:
        places: files to look among, beside the paths that its recipe names.

    Raises:
        StoreError: it carries no recipe or a damaged one, or a picture is nowhere; the sentence
            names it.
    """
    from latmix.jobs.recipes import files_by_content
    from latmix.session import from_recipe

    recipe = read_recipe(path)
    wanted = {image.sha256 for image in recipe.images}
    named = [Path(image.path) for image in recipe.images]
    found = files_by_content([*named, *places], wanted)
    lost = [image for image in recipe.images if image.sha256 not in found]
    if lost:
        raise StoreError(
            f"{plural(len(lost), 'picture')} of {display_name(path.name)} cannot be found, "
            f"the first being {display_name(lost[0].path)}.",
            "Open the folder they are in now (f), then go back again.",
        )
    weights = {found[image.sha256].absolute(): image.weight for image in recipe.images}
    folder = Path(os.path.commonpath([picture.parent for picture in weights]))
    recursive = any(picture.parent != folder for picture in weights)
    chosen = from_recipe.choices(recipe)
    return Revisited(path, folder, recursive, weights, chosen, recipe.model["name"])


def _copied(path: Path, folder: Path) -> Path:
    """The copy, whole or not at all; one that is there already is left."""
    target, content = folder / path.name, path.read_bytes()
    if target.is_file() and target.read_bytes() == content:
        return target
    target = free_name(target)
    write_durably(target, [content])
    return target
