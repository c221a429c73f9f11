"""`latmix centroid`, `mix` and `replay`: pictures in, mixed pictures out, with the numbers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latmix.cli import run, weighting
from latmix.cli.options import (
    Draft,
    GuidanceScale,
    InversionOptions,
    Method,
    ModelOptions,
    OutputOptions,
    PictureOptions,
    WeightFile,
    Weights,
    command,
)
from latmix.errors import UsageError
from latmix.mixing.grid import DEFAULT_METHOD, parse_method
from latmix.mixing.mixture import Mixture
from latmix.names import display_name, plural

if TYPE_CHECKING:
    from PIL.Image import Image

    from latmix.jobs.generation import Generated
    from latmix.jobs.inversion import Inversion
    from latmix.jobs.workbench import Workbench
    from latmix.sampling.settings import GenerationSettings
    from latmix.store.results import Recipe

DEFAULT_COUNT = 8

LEVELS_OF_ROUNDING = 8
"""Of 255: how far another device or version may move a pixel of the same result."""


@command
def centroid(
    pictures: PictureOptions,
    model: ModelOptions,
    options: InversionOptions,
    output: OutputOptions,
    count: Annotated[
        int, typer.Option("-n", "--count", min=1, help="The first N readable pictures.")
    ] = DEFAULT_COUNT,
    method: Method = DEFAULT_METHOD,
    guidance: GuidanceScale = None,
    draft: Draft = 0,
    seed: Annotated[int | None, typer.Option(help="Noted in the recipe.", hidden=True)] = None,
) -> int:
    """Invert pictures (once), mix them with equal weights, and generate their centroid."""
    method = parse_method(method).name
    paths = run.find_pictures(pictures)
    _check_output(output.output, paths)
    bench = run.make_workbench(model, output.quiet, options.preset)
    inversion = run.invert(
        bench,
        pictures,
        model,
        options,
        paths=paths,
        count=count,
        guidance=guidance,
        quiet=output.quiet,
    )
    generation = run.generation_settings(guidance, options, bench.source, draft)
    prompt = run.template(options, pictures.demo)
    equal = [1.0 / len(inversion.rows)] * len(inversion.rows)
    _make(bench, inversion, [equal], method, generation, prompt, output, bench.batch, [seed])
    return run.exit_code(inversion)


@command
def mix(
    pictures: PictureOptions,
    model: ModelOptions,
    options: InversionOptions,
    output: OutputOptions,
    weights: Weights = None,
    weight_file: WeightFile = None,
    random: Annotated[
        int | None, typer.Option(min=1, help="This many random mixtures.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random weights.")] = 0,
    count: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--count",
            min=1,
            help="The first N readable pictures.  [default: all]",
            show_default=False,
        ),
    ] = None,
    method: Method = DEFAULT_METHOD,
    guidance: GuidanceScale = None,
    draft: Draft = 0,
) -> int:
    """Mix pictures with weights: given by name, read from a CSV, or drawn at random."""
    method = parse_method(method).name
    paths = run.find_pictures(pictures)
    _check_output(output.output, paths)
    given = weighting.given_weights(paths, weights, weight_file)
    if given and random:
        raise UsageError("--random draws the weights itself.", "Leave -w and --weights out.")
    if given and count:
        raise UsageError("-n and weights by name exclude each other.", "Leave one of them out.")
    bench = run.make_workbench(model, output.quiet, options.preset)
    inversion = run.invert(
        bench,
        pictures,
        model,
        options,
        paths=list(given) if given else paths,
        count=None if given else count,
        guidance=guidance,
        quiet=output.quiet,
    )
    if given:
        mixtures = [weighting.mixture_of_rows(inversion.rows, given)]
        seeds: list[int | None] = [None]
    else:
        keys = [str(index) for index in range(len(inversion.rows))]
        seeds = [seed + index for index in range(random)] if random else [None]
        mixtures = [Mixture.equal(keys) if s is None else Mixture.random(keys, s) for s in seeds]
    generation = run.generation_settings(guidance, options, bench.source, draft)
    prompt = run.template(options, pictures.demo)
    rows = [list(mixture.weights) for mixture in mixtures]
    _make(bench, inversion, rows, method, generation, prompt, output, bench.batch, seeds)
    return run.exit_code(inversion)


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
    from latmix.jobs.inversion import invert_pictures, prompt_template
    from latmix.store.results import free_name, read_recipe

    recipe = read_recipe(result)
    parse_method(recipe.method)
    target = output.output or free_name(result.with_name(f"{result.stem}-replay.png"))
    _check_output(target, [])
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
        bench, rows, settings, prompt_template(recipe.prompt), batch=bench.batch, strict=True
    )
    inversion = run.drive(job, output.quiet)
    weights = [image.weight for image in recipe.images]
    generation = recipes.generation_settings(recipe)
    [made] = _make(
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


def _make(
    bench: Workbench,
    inversion: Inversion,
    weights: Sequence[Sequence[float]],
    method: str,
    generation: GenerationSettings,
    prompt: str,
    output: OutputOptions,
    batch: int,
    seeds: Sequence[int | None],
) -> list[Path]:
    """Mix, generate, write and report; returns what was written."""
    from latmix.jobs.generation import generate_mixtures, mix_stored
    from latmix.jobs.recipes import build_recipe
    from latmix.store.results import write_result

    targets = _targets(output.output, inversion, method, len(weights))
    for target in targets:
        _check_output(target, [row.path for row in inversion.rows])
    # A batch at a time: what is finished is on the disk, and memory does not grow with the number.
    for first in range(0, len(weights), batch):
        started = time.monotonic()
        part = weights[first : first + batch]
        mixed = mix_stored(inversion, part, parse_method(method))
        mixing = time.monotonic() - started
        job = generate_mixtures(bench, inversion, mixed, generation, batch=batch)
        generated = run.drive(job, output.quiet)
        taken = (inversion.seconds, mixing, generated.seconds)
        seconds = {
            phase: round(value, 3)
            for phase, value in zip(("invert", "mix", "generate"), taken, strict=True)
        }
        for index, picture in enumerate(generated.pictures):
            row, at = mixed.weights[index].tolist(), first + index
            recipe = build_recipe(bench, inversion, row, method, generation, prompt, seeds[at])
            write_result(picture, targets[at], recipe)
            _report(targets[at], recipe, inversion, generated, index, seconds, output)
    if output.open:
        from latmix.viewer import open_picture

        for target in targets:
            run.say(open_picture(target).message, output.quiet)
    return targets


def _check_output(output: Path | None, inputs: Sequence[Path]) -> None:
    """Find out before the work whether the result could be written.

    Raises:
        UsageError: the file named is not a PNG, or is one of the pictures.
        LatmixError: its folder is not there or cannot be written.
    """
    from latmix.images import check_writable

    named = output or Path("out.png")
    if named.suffix.lower() != ".png":
        raise UsageError(
            f"The output {display_name(named)} is not a PNG, and only a PNG carries its recipe.",
            "End its name in .png.",
        )
    target = check_writable(named)
    if output is not None and target in {path.resolve() for path in inputs}:
        raise UsageError(
            f"The output {display_name(named)} is one of the pictures.", "Give it another name."
        )


def _targets(output: Path | None, inversion: Inversion, method: str, count: int) -> list[Path]:
    """Where the results go: the file named, or free names here; many are numbered."""
    from latmix.store.results import free_name, output_name

    named = output or Path(output_name([row.path for row in inversion.rows], method))
    targets = [named]
    if count > 1:
        width = len(str(count))
        numbers = range(1, count + 1)
        targets = [named.with_stem(f"{named.stem}-{number:0{width}}") for number in numbers]
    return targets if output else [free_name(target) for target in targets]


def _report(
    target: Path,
    recipe: Recipe,
    inversion: Inversion,
    generated: Generated,
    index: int,
    seconds: dict[str, float],
    output: OutputOptions,
) -> None:
    statistics = generated.mixed.statistics[index]
    if output.json:
        run.print_json(
            {
                "output": display_name(target),
                "method": recipe.method,
                "model": recipe.model["name"],
                "prompt": recipe.prompt,
                "seed": recipe.seed,
                "images": [
                    {"path": i.path, "sha256": i.sha256, "weight": i.weight} for i in recipe.images
                ],
                "stats": statistics.as_json(),
                "seconds": seconds,
                "cached": inversion.cached,
                "failures": run.failures_json(inversion.failures),
            }
        )
        return
    if not output.quiet:
        from latmix.report import channel_table, statistics_table

        screen = run.console()
        screen.print(statistics_table(statistics, recipe.method))
        screen.print(channel_table(statistics))
        run.say(
            f"{plural(len(inversion.rows), 'picture')}, {inversion.inverted} inverted in "
            f"{seconds['invert']:.1f} s, "
            f"{inversion.cached} cached; generated in {seconds['generate']:.1f} s"
        )
    if statistics.warning:
        run.say(f"warning: {statistics.warning}")
    run.console().print(display_name(target))


def _compare_versions(recipe: Recipe, bench: Workbench) -> None:
    """Say where this machine differs from the one that made a result."""
    from latmix.store.results import current_versions

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
