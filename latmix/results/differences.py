"""What differs between two results: their recipes, side by side. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latmix.names import display_name
from latmix.results.recipes import Recipe

ABSENT = "–"
"""Stands for what one of the two does not have."""

SAME_WEIGHT = 5e-7
"""Weights nearer than this are the same: they are shown with six digits."""


@dataclass(frozen=True)
class Difference:
    """One thing that differs.

    Attributes:
        name: what it is: "method", "steps", or "weight of" a picture.
        left, right: its value in either recipe, to show.
    """

    name: str
    left: str
    right: str


def recipe_differences(left: Recipe, right: Recipe) -> tuple[Difference, ...]:
    """Everything that differs: method, prompt, model, weights, settings, versions."""
    rows = [
        Difference("method", left.method, right.method),
        Difference("pictures", str(len(left.images)), str(len(right.images))),
        Difference("prompt", display_name(left.prompt), display_name(right.prompt)),
        Difference("seed", _shown(left.seed), _shown(right.seed)),
        *_weights(left, right),
        *_prompts(left, right),
        *_table("model", left.model, right.model),
        *_table("generating", left.generation, right.generation),
        *_table("inverting", left.inversion, right.inversion),
        *_table("version", left.versions, right.versions),
    ]
    return tuple(row for row in rows if row.left != row.right)


def _weights(left: Recipe, right: Recipe) -> list[Difference]:
    """A picture is the same where its content is, wherever it lies."""
    names = {image.sha256: Path(image.path).name for image in (*right.images, *left.images)}
    held = [{image.sha256: image.weight for image in recipe.images} for recipe in (left, right)]
    rows = []
    for sha256, name in names.items():
        one, other = (weights.get(sha256) for weights in held)
        if one is not None and other is not None and abs(one - other) < SAME_WEIGHT:
            continue
        texts = [ABSENT if weight is None else f"{weight:.6f}" for weight in (one, other)]
        rows.append(Difference(f"weight of {display_name(name)}", *texts))
    return rows


def _prompts(left: Recipe, right: Recipe) -> list[Difference]:
    """Of pictures that both have."""
    other = {image.sha256: image.prompt for image in right.images}
    return [
        Difference(
            f"prompt of {display_name(Path(image.path).name)}",
            display_name(image.prompt),
            display_name(other[image.sha256]),
        )
        for image in left.images
        if image.sha256 in other
    ]


def _table(group: str, left: Mapping[str, Any], right: Mapping[str, Any]) -> list[Difference]:
    names = dict.fromkeys([*left, *right])
    return [
        Difference(f"{group}: {name}", _shown(left.get(name)), _shown(right.get(name)))
        for name in names
    ]


def _shown(value: object) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, list | tuple):
        return " x ".join(_shown(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else display_name(str(value))
