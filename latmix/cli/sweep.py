"""`latmix sweep`: methods by numbers of pictures, as a sheet and as figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

from latmix.cli import console, grids
from latmix.cli.command import command
from latmix.cli.lists import Methods, method_names
from latmix.cli.options import GuidanceAndDraft, Inverting, ModelOptions, PictureOptions, option
from latmix.cli.outputs import VECTORS, Findings, Seed, StudyOptions, find_kept, sheet_writers
from latmix.cli.run import Run, find_pictures
from latmix.mixing.grid import DEFAULT_METHOD
from latmix.names import plural

if TYPE_CHECKING:
    from latmix.sampling.settings import GenerationSettings
    from latmix.study.sweep import SweepRow


@command
def sweep(
    pictures: PictureOptions,
    model: ModelOptions,
    inverting: Inverting,
    output: StudyOptions,
    *,
    methods: Methods = f"lin/0,fix/0,nin/0,fix/chm,nin/chm,{DEFAULT_METHOD}",
    counts: grids.Counts = None,
    draws: Annotated[
        int,
        option("Random draws of N pictures; 1 is the first N.", "--draws", "--repeats", least=1),
    ] = 1,
    seed: Seed = 0,
    cell: Annotated[int, option("Pixels of a picture on the sheet.", least=32, most=1024)] = 128,
    generating: GuidanceAndDraft,
) -> int:
    """A sheet of centroids: a row for each method, a column for each number of pictures."""
    names = method_names(methods)
    paths = list(dict.fromkeys(find_pictures(pictures)))
    numbers = grids.grid_counts(counts, len(paths))
    outputs, cells = find_kept(output.output, "sweep", paths, VECTORS)
    from latmix.study.cells import Grid
    from latmix.study.draws import Draws
    from latmix.study.sweep import measure_cells, sweep_sheet

    drawn = Draws.natural(paths) if draws == 1 else Draws.random(paths, draws, seed)
    run = Run.of(model, inverting | generating, output.quiet, pictures.demo)
    grid = Grid(drawn, names, numbers, run.choices, cells, pictures.strict)
    made = grids.make_grid(run, grid)
    rows = run.drive(measure_cells(made.cells))
    title = _title(paths, run.bench.source.name, run.generating)
    findings = Findings(
        grids.made_json(run, grid, made) | {"cells": rows},
        rows,
        sheet_writers(lambda: sweep_sheet(made.cells, rows, title, cell)),
        lambda: _print_rows(rows),
        made.inversion.failures,
        grids.run_json(made),
    )
    return outputs.finish(output, findings)


def _title(paths: Sequence[Path], model: str, generation: GenerationSettings) -> str:
    folders = {path.resolve().parent.name for path in paths}
    where = folders.pop() if len(folders) == 1 else plural(len(paths), "picture")
    return (
        f"Centroids of {where}: {model}, {generation.steps} steps, guidance {generation.guidance:g}"
    )


def _print_rows(rows: Sequence[SweepRow]) -> None:
    """A line for each method and N; of several draws the means."""
    names = ("norm_ratio", "amplification", "bias", "sharpness", "contrast", "saturation")
    formats = ("{:.3f}", "{:.2f}", "{:.3f}", "{:.0f}", "{:.1f}", "{:.1f}")
    heads = ("norm/√L", "α", *names[2:])
    table: list[list[str]] = []
    for method, count in dict.fromkeys((row["method"], row["count"]) for row in rows):
        some = [row for row in rows if (row["method"], row["count"]) == (method, count)]
        means = (fmean(row[name] for row in some) for name in names)
        shown = [form.format(mean) for form, mean in zip(formats, means, strict=True)]
        warned = sum(row["warning"] is not None for row in some)
        note = f"{warned} of {len(some)}" if warned else ""
        table.append([method, str(count), *shown, note])
    console.print_table(["method", "#N", *(f"#{head}" for head in heads), "warned"], table)
    if any(row["warning"] for row in rows):
        console.say("warned: the column `warning` of the CSV says of what.")
