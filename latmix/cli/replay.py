"""`latmix replay`: a result made again from the recipe inside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latmix.cli import run
from latmix.cli.making import check_output, make
from latmix.cli.options import ModelOptions, OutputOptions, command
from latmix.mixing.grid import parse_method
from latmix.names import display_name

if TYPE_CHECKING:
    from PIL.Image import Image

    from latmix.jobs.workbench import Workbench
    from latmix.results.recipes import Recipe

LEVELS_OF_ROUNDING = 8
"""Of 255: how far another device or version may move a pixel of the same result."""


@command
def replay(
    model: ModelOptions,
    output: OutputOptions,
    result: Annotated[Path, typer.Argument(help="A PNG that latmix wrote.", show_default=False)],
    places: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders to look for its pictures in.", show_default=False),
    ] = None,
) -> int:
    """Make a result again from the recipe inside it, and say how close it came."""
    from latmix import demo, images
    from latmix.jobs import recipes
    from latmix.jobs.inversion import InversionRules, invert_pictures
    from latmix.jobs.pictures import prompt_template
    from latmix.results.names import free_name
    from latmix.results.recipes import read_recipe

    recipe = read_recipe(result)
    parse_method(recipe.method)
    target = output.output or free_name(result.with_name(f"{result.stem}-replay.png"))
    check_output(target, [])
    before = images.read_picture(result)
    named = replace(
        model,
        model=model.model if model.model != "auto" else recipe.model["name"],
        dtype=model.dtype if model.dtype != "auto" else recipe.model["dtype"],
    )
    bench = run.make_workbench(named, output.quiet)
    _compare_versions(recipe, bench)
    settings = recipes.inversion_settings(recipe)
    looked_in = images.find_pictures(places, recursive=True) if places else []
    built_in = images.find_pictures([demo.folder(name) for name in demo.names()])
    rows = recipes.find_ingredients(bench, recipe, settings, [*looked_in, *built_in])
    job = invert_pictures(
        bench, rows, settings, prompt_template(recipe.prompt), InversionRules(strict=True)
    )
    inversion = run.drive(job, output.quiet)
    weights = [image.weight for image in recipe.images]
    generation = recipes.generation_settings(recipe)
    [made] = make(
        bench,
        inversion,
        [weights],
        recipe.method,
        generation,
        recipe.prompt,
        OutputOptions(target, output.open, output.json, output.quiet),
        bench.batch,
        [recipe.seed],
    )
    _say_difference(before, images.read_picture(made), output.quiet)
    return 0


def _compare_versions(recipe: Recipe, bench: Workbench) -> None:
    """Say where this machine differs from the one that made a result."""
    from latmix.results.recipes import current_versions

    if recipe.model["fingerprint"] != bench.source.fingerprint:
        run.say(
            f"note: {bench.source.name} has other weights here than when the result was made; "
            "the picture will differ."
        )
    here = current_versions()
    other = [f"{n} {v}" for n, v in recipe.versions.items() if here.get(n, v) != v]
    if other:
        run.say(f"note: the result was made with {display_name(', '.join(other))}.")


def _say_difference(old: Image, new: Image, quiet: bool) -> None:
    from PIL import ImageChops

    if old.size != new.size:
        run.say("warning: a different picture: it has another size.")
        return
    difference: Any = ImageChops.difference(old, new).getextrema()
    largest = max(high for _, high in difference)
    if largest > LEVELS_OF_ROUNDING:
        run.say(f"warning: a different picture: it differs by up to {largest} of 255 levels.")
        return
    within = "to the last bit" if largest == 0 else f"to within {largest} of 255 levels"
    run.say(f"The same picture, {within}.", quiet)
