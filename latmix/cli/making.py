"""Mixtures made and written, for the commands that make pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from latmix.cli import run
from latmix.cli.options import OutputOptions
from latmix.errors import UsageError
from latmix.mixing.grid import parse_method
from latmix.names import display_name, plural

if TYPE_CHECKING:
    from latmix.jobs.generation import Generated
    from latmix.jobs.inversion import Inversion
    from latmix.jobs.workbench import Workbench
    from latmix.results.recipes import Recipe
    from latmix.sampling.settings import GenerationSettings


def make(
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
    from latmix.results.recipes import write_result

    targets = _targets(output.output, inversion, method, len(weights))
    for target in targets:
        check_output(target, [row.path for row in inversion.rows])
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


def check_output(output: Path | None, inputs: Sequence[Path]) -> None:
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
    from latmix.results.names import free_name, output_name

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
