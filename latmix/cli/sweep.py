"""`latmix sweep`: methods by numbers of pictures, as a sheet and as figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer

from latmix.cli import grids, run
from latmix.cli.options import (
    GuidanceScale,
    InversionOptions,
    ModelOptions,
    OutputOptions,
    PictureOptions,
    command,
)
from latmix.names import display_name, plural

if TYPE_CHECKING:
    from latmix.sampling.settings import GenerationSettings
    from latmix.study.sweep import SweepRow


@command
def sweep(
    pictures: PictureOptions,
    model: ModelOptions,
    options: InversionOptions,
    output: OutputOptions,
    methods: grids.Methods = "lin/0,fix/0,nin/0,fix/chm,nin/chm,nin/lp:2",
    counts: grids.Counts = None,
    repeats: Annotated[
        int, typer.Option(min=1, help="Random draws of N pictures; 1 is the first N.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="Of the random draws.")] = 0,
    cell: Annotated[
        int, typer.Option(min=32, max=1024, help="Pixels of a picture on the sheet.")
    ] = 128,
    guidance: GuidanceScale = None,
) -> int:
    """A sheet of centroids: a row for each method, a column for each number of pictures."""
    names = grids.parse_methods(methods)
    paths = list(dict.fromkeys(run.find_pictures(pictures)))
    numbers = grids.parse_counts(counts, len(paths))
    from latmix.images import write_png
    from latmix.study.draws import Draws
    from latmix.study.outputs import find_outputs
    from latmix.study.sheet import draw_sheet
    from latmix.study.sweep import measure_cells, sweep_sheet

    outputs = find_outputs(output.output, "sweep", paths)
    draws = Draws.natural(paths) if repeats == 1 else Draws.random(paths, repeats, seed)
    grid = grids.Grid(
        pictures, model, options, guidance, names, numbers, draws, outputs, output.quiet
    )
    bench = run.make_workbench(model, output.quiet, options.preset)
    made = grids.make_grid(bench, grid)
    rows = run.drive(measure_cells(made.cells), output.quiet)
    title = _title(paths, bench.source.name, made.generation)
    write_png(draw_sheet(sweep_sheet(made.cells, rows, title), cell), outputs.picture)
    content = grids.made_json(bench, grid, made) | {"cells": [asdict(row) for row in rows]}
    outputs.write([asdict(row) for row in rows], content)
    if output.json:
        run.print_json(content | grids.run_json(made))
    else:
        _print_rows(rows, output.quiet)
        run.console().print(display_name(outputs.picture))
    if output.open:
        from latmix.viewer import open_picture

        run.say(open_picture(outputs.picture).message, output.quiet)
    return run.exit_code(made.inversion)


def _title(paths: Sequence[Path], model: str, generation: GenerationSettings) -> str:
    folders = {path.resolve().parent.name for path in paths}
    where = folders.pop() if len(folders) == 1 else plural(len(paths), "picture")
    return (
        f"Centroids of {where}: {model}, {generation.steps} steps, guidance {generation.guidance:g}"
    )


def _print_rows(rows: Sequence[SweepRow], quiet: bool) -> None:
    """A line for each method and N; of several draws the means."""
    if quiet:
        return
    from latmix.report import plain_table

    names = ("norm_ratio", "amplification", "bias", "sharpness", "contrast", "saturation")
    formats = ("{:.3f}", "{:.2f}", "{:.3f}", "{:.0f}", "{:.1f}", "{:.1f}")
    heads = ("norm/√L", "α", *names[2:])
    table = plain_table("method", "#N", *(f"#{head}" for head in heads), "warned")
    for method, count in dict.fromkeys((row.method, row.count) for row in rows):
        some = [row for row in rows if (row.method, row.count) == (method, count)]
        means = (fmean(getattr(row, name) for row in some) for name in names)
        shown = [form.format(mean) for form, mean in zip(formats, means, strict=True)]
        warned = sum(row.warning is not None for row in some)
        table.add_row(method, str(count), *shown, f"{warned} of {len(some)}" if warned else "")
    run.console().print(table)
    if any(row.warning for row in rows):
        run.say("warned: the column `warning` of the CSV says of what.")
