"""Results: pictures that carry the recipe they can be made again from.

The recipe is JSON in the PNG's text entry `latmix`; `latmix replay` reads it. Needs no torch.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from PIL import Image

from latmix.errors import StoreError
from latmix.images.png import read_text, write_png
from latmix.mixing.mixture import normalised
from latmix.names import display_name

ENTRY = "latmix"
FORMAT = 1


@dataclass(frozen=True)
class Ingredient:
    """One picture of a mixture: where it was, which it is, its weight and its own prompt."""

    path: str
    sha256: str
    weight: float
    prompt: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that is needed to make a result again, in the order of its JSON.

    Attributes:
        method: a name of the grid.
        model: "name", "fingerprint" and "dtype" of the network.
        prompt: the template that the pictures' prompts came from.
        seed: of random weights, or None.
        inversion, generation: settings, as `InversionSettings` and `GenerationSettings` write them.
        versions: what made it; another version may differ in the last digits.
        asked: settings that were asked for as something else than they came to, such as a size that
            was left to the model; by name, as `session.choices.Choices` has them.
        images: the pictures with their weights, which sum to 1.
    """

    method: str
    model: Mapping[str, str]
    prompt: str = ""
    seed: int | None = None
    inversion: Mapping[str, Any]
    generation: Mapping[str, Any]
    versions: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[Ingredient, ...]

    def as_json(self) -> dict[str, Any]:
        content = {name: value for name, value in vars(self).items() if name != "asked" or value}
        return {"latmix": FORMAT, **content, "images": [vars(image) for image in self.images]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Recipe:
        """The recipe of its JSON.

        Raises:
            ValueError: it is of another format, or something is missing or of the wrong kind.
        """
        if content.get("latmix") != FORMAT:
            raise ValueError(f"its format is {content.get('latmix')!r}, not {FORMAT}")
        try:
            images = tuple(
                Ingredient(str(i["path"]), str(i["sha256"]), float(i["weight"]), str(i["prompt"]))
                for i in content["images"]
            )
            normalised(image.weight for image in images)
            json.dumps(content, ensure_ascii=False).encode("utf-8")
            model = {name: str(value) for name, value in content["model"].items()}
            if lacking := {"name", "fingerprint", "dtype"} - model.keys():
                raise KeyError(min(lacking))
            seed = content["seed"]
            return cls(
                images=images,
                method=str(content["method"]),
                model=model,
                inversion=dict(content["inversion"]),
                generation=dict(content["generation"]),
                prompt=str(content["prompt"]),
                seed=None if seed is None else int(seed),
                versions=dict(content["versions"]),
                asked=dict(content.get("asked", {})),
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"it is incomplete ({error})") from error


@cache
def current_versions() -> Mapping[str, str]:
    """Versions of what takes part in a result's numbers.

    Looked up once: it takes 20 ms, and a study asks for each of its pictures.
    """
    found = {"python": platform.python_version()}
    for package in ("latmix", "torch", "diffusers", "transformers"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def write_result(picture: Image.Image, path: Path, recipe: Recipe) -> None:
    """Write a picture with its recipe, whole or not at all.

    Raises:
        LatmixError: as `write_png`.
    """
    write_png(picture, path, {ENTRY: json.dumps(recipe.as_json(), ensure_ascii=True)})


def read_recipe(path: Path) -> Recipe:
    """The recipe inside a result.

    Raises:
        StoreError: the file is no result of latmix, or its recipe is damaged.
        LatmixError: it cannot be read at all.
    """
    text = read_text(path).get(ENTRY)
    shown = display_name(path)
    if text is None:
        raise StoreError(
            f"{shown} carries no recipe: it was not made by latmix, or was saved again by another "
            "program.",
            "Give a PNG that latmix wrote.",
        )
    try:
        return Recipe.from_json(json.loads(text))
    except (ValueError, RecursionError, AttributeError) as error:
        raise StoreError(f"The recipe inside {shown} cannot be used: {error}.") from error
