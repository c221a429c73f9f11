"""Mixtures made and written, for the commands that make pictures."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latmix.cli import console
from latmix.cli.options import OutputOptions
from latmix.cli.run import Run
from latmix.errors import UsageError
from latmix.mixing.grid import parse_method
from latmix.names import display_name, plural

if TYPE_CHECKING:
    from latmix.jobs.inversion import Inversion
    from latmix.mixing.statistics import Statistics
    from latmix.results.recipes import Recipe


@dataclass(frozen=True)
class Weighting:
    """The weights of a mixture, in the order of an inversion's pictures, and their seed."""

    weights: Sequence[float]
    seed: int | None = None


def make(
    run: Run, inversion: Inversion, mixtures: Sequence[Weighting], output: OutputOptions
) -> list[Path]:
    """Mix, generate, write and report; returns what was written."""
    from latmix.jobs.generation import generate_mixtures
    from latmix.jobs.recipes import build_recipe
    from latmix.jobs.stored_mixtures import mix_stored
    from latmix.results.recipes import write_result

    bench, method, batch = run.bench, run.choices.method, run.bench.batch
    targets = _targets(output.output, inversion, method, len(mixtures))
    for target in targets:
        check_output(target, [row.path for row in inversion.rows])
    # A batch at a time: what is finished is on the disk, and memory does not grow with the number.
    for first in range(0, len(mixtures), batch):
        started = time.monotonic()
        part = mixtures[first : first + batch]
        mixed = mix_stored(inversion, [one.weights for one in part], parse_method(method))
        mixing = time.monotonic() - started
        generated = run.drive(generate_mixtures(bench, inversion, mixed, run.generating))
        took = {"invert": inversion.seconds, "mix": mixing, "generate": generated.seconds}
        seconds = {name: round(each, 3) for name, each in took.items()}
        for at, picture in enumerate(generated.pictures):
            chosen = replace(run.choices, seed=part[at].seed)
            weights, target = mixed.weights[at].tolist(), targets[first + at]
            recipe = build_recipe(bench, inversion, weights, run.generating, chosen)
            write_result(picture, target, recipe)
            statistics = mixed.statistics[at]
            if output.json:
                console.print_json(_as_json(target, recipe, statistics, inversion, seconds))
            else:
                if not output.quiet:
                    _print_numbers(statistics, method, inversion, seconds)
                if statistics.warning:
                    console.say(f"warning: {statistics.warning}")
                console.screen().print(display_name(target))
    if output.open:
        from latmix.viewer import open_picture

        for target in targets:
            run.say(open_picture(target).message)
    return targets


def check_output(output: Path | None, inputs: Sequence[Path]) -> None:
    """Find out before the work whether the result could be written.

    Raises:
        UsageError: the file named is not a PNG, or is one of the pictures.
        LatmixError: its folder is not there or cannot be written.
    """
    from latmix.images.png import check_writable

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
    from latmix.results.names import free_name, output_name

    named = output or Path(output_name([row.path for row in inversion.rows], method))
    targets = [named]
    if count > 1:
        width = len(str(count))
        numbers = range(1, count + 1)
        targets = [named.with_stem(f"{named.stem}-{number:0{width}}") for number in numbers]
    return targets if output else [free_name(target) for target in targets]


def _as_json(
    target: Path,
    recipe: Recipe,
    statistics: Statistics,
    inversion: Inversion,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    return {
        "output": display_name(target),
        "method": recipe.method,
        "model": recipe.model["name"],
        "prompt": recipe.prompt,
        "seed": recipe.seed,
        "images": [{"path": i.path, "sha256": i.sha256, "weight": i.weight} for i in recipe.images],
        "stats": statistics.as_json(),
        "seconds": seconds,
        "cached": inversion.cached,
        "failures": console.failures_json(inversion.failures),
    }


def _print_numbers(
    statistics: Statistics, method: str, inversion: Inversion, seconds: Mapping[str, float]
) -> None:
    from latmix.report import channel_table, statistics_table

    screen = console.screen()
    screen.print(statistics_table(statistics, method))
    screen.print(channel_table(statistics))
    console.say(
        f"{plural(len(inversion.rows), 'picture')}, {inversion.inverted} inverted in "
        f"{seconds['invert']:.1f} s, "
        f"{inversion.cached} cached; generated in {seconds['generate']:.1f} s"
    )
