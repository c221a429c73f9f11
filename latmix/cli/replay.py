"""`latmix replay`: a result made again from the recipe inside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from latmix.cli import console
from latmix.cli.command import command
from latmix.cli.making import Weighting, check_output, make
from latmix.cli.options import ModelOptions, OutputOptions, argument
from latmix.cli.run import Run, make_workbench
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
    result: Annotated[Path, argument("A PNG that latmix wrote.")],
    places: Annotated[list[Path] | None, argument("Folders to look for its pictures in.")] = None,
) -> int:
    """Make a result again from the recipe inside it, and say how close it came."""
    from latmix import demo
    from latmix.images.folders import find_pictures
    from latmix.images.pictures import read_picture
    from latmix.jobs import recipes
    from latmix.jobs.inversion import InversionRules, invert_pictures
    from latmix.results.names import free_name
    from latmix.results.recipes import read_recipe
    from latmix.session import from_recipe

    recipe = read_recipe(result)
    parse_method(recipe.method)
    target = output.output or free_name(result.with_name(f"{result.stem}-replay.png"))
    check_output(target, [])
    before = read_picture(result)
    named = replace(
        model,
        model=model.model if model.model != "auto" else recipe.model["name"],
        machine={"dtype": recipe.model["dtype"]} | model.machine,
    )
    bench = make_workbench(named, output.quiet)
    _compare_versions(recipe, bench)
    settings = from_recipe.settings(recipe)
    run = Run(bench, from_recipe.choices(recipe), *settings, output.quiet)
    looked_in = find_pictures(places, recursive=True) if places else []
    built_in = find_pictures([demo.folder(name) for name in demo.names()])
    rows = recipes.find_ingredients(bench, recipe, run.inverting, [*looked_in, *built_in])
    rules = InversionRules(strict=True)
    job = invert_pictures(bench, rows, run.inverting, recipe.prompt, rules)
    inversion = run.drive(job)
    weights = [image.weight for image in recipe.images]
    [made] = make(run, inversion, [Weighting(weights, recipe.seed)], replace(output, output=target))
    _say_difference(before, read_picture(made), output.quiet)
    return 0


def _compare_versions(recipe: Recipe, bench: Workbench) -> None:
    """Say where this machine differs from the one that made a result."""
    from latmix.results.recipes import current_versions

    if recipe.model["fingerprint"] != bench.source.fingerprint:
        console.say(
            f"note: {bench.source.name} has other weights here than when the result was made; "
            "the picture will differ."
        )
    here = current_versions()
    other = [f"{n} {v}" for n, v in recipe.versions.items() if here.get(n, v) != v]
    if other:
        console.say(f"note: the result was made with {display_name(', '.join(other))}.")


def _say_difference(old: Image, new: Image, quiet: bool) -> None:
    from PIL import ImageChops

    if old.size != new.size:
        console.say("warning: a different picture: it has another size.")
        return
    difference: Any = ImageChops.difference(old, new).getextrema()
    largest = max(high for _, high in difference)
    if largest > LEVELS_OF_ROUNDING:
        console.say(f"warning: a different picture: it differs by up to {largest} of 255 levels.")
        return
    within = "to the last bit" if largest == 0 else f"to within {largest} of 255 levels"
    console.say(f"The same picture, {within}.", quiet)
