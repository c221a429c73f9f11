"""`latmix study quality`: many random centroids against the class they come from (L&K figure 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latmix.cli import console, grids
from latmix.cli.command import command
from latmix.cli.lists import Methods, method_names
from latmix.cli.options import Guidance, Inverting, ModelOptions, PictureOptions
from latmix.cli.outputs import (
    FIGURES,
    Seed,
    StudyOptions,
    figure_writer,
    find_kept,
    table_writers,
)
from latmix.cli.run import Run, find_pictures
from latmix.errors import LatmixError
from latmix.mixing.grid import DEFAULT_METHOD
from latmix.names import plural

if TYPE_CHECKING:
    from latmix.jobs.pictures import Failure
    from latmix.measures.extractors import Networks
    from latmix.measures.intervals import Estimate
    from latmix.study.quality import Measure, Score

COLUMNS = ("method", "count", "measure", "value", "low", "high")

INTERVAL = "95 %, bootstrap over the draws"


@command
def quality(
    pictures: PictureOptions,
    model: ModelOptions,
    inverting: Inverting,
    output: StudyOptions,
    *,
    methods: Methods = f"fix/0,nin/0,fix/chm,nin/chm,{DEFAULT_METHOD}",
    counts: grids.Counts = None,
    draws: Annotated[
        int,
        typer.Option(
            "--draws", "--repeats", min=2, help="Random centroids for each method and number."
        ),
    ] = 16,
    seed: Seed = 0,
    features: Annotated[
        str,
        typer.Option(
            help="What distances are measured in, with commas between: vae (the model's own), "
            "efficientnet, inception (FID and KID), clip."
        ),
    ] = "vae",
    inception: Annotated[
        Path | None,
        typer.Option(
            help="The file of Inception's weights.  [default: the one in torch's cache]",
            show_default=False,
        ),
    ] = None,
    clip: Annotated[
        str, typer.Option(help="A CLIP model: a folder, or a hub id that is on this machine.")
    ] = "openai/clip-vit-base-patch32",
    guidance: Guidance,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it would cost.")
    ] = False,
) -> int:
    """How near random centroids come to the pictures of their class, for each method and number."""
    names = method_names(methods)
    paths = list(dict.fromkeys(find_pictures(pictures)))
    if len(paths) < 2:
        raise LatmixError(
            "A class of fewer than two pictures has nothing to compare with.",
            "Name a folder with more pictures.",
        )
    numbers = grids.grid_counts(counts, len(paths))
    from latmix.measures.extractors import Networks, parse_extractors
    from latmix.study.draws import Draws
    from latmix.study.quality_figure import draw_quality

    networks = Networks(parse_extractors(features), inception, clip)
    networks.check()
    outputs, cells = find_kept(output.output, "quality", paths, FIGURES)
    drawn = Draws.random(paths, draws, seed)
    run = Run.of(model, inverting | guidance, output.quiet, pictures.demo)
    grid = grids.Grid(run, names, numbers, drawn, cells, pictures.strict)
    if dry_run:
        return _say_cost_only(grid, output.json)
    made = grids.make_grid(grid)
    found = _measure(grid, made, networks)
    content = grids.made_json(grid, made) | found.as_json()
    rows = [list(_row(score).values()) for score in (*found.scores, *found.bounds)]
    outputs.write(
        [
            *table_writers(COLUMNS, rows, content),
            figure_writer(lambda: draw_quality(found.measures, found.scores, found.bounds)),
        ]
    )
    content |= grids.run_json(made)
    code = console.LEFT_OUT if found.failures else 0
    return outputs.tell(output, content, lambda: _print_scores(found), code)


@dataclass(frozen=True)
class Found:
    """All scores of a study.

    Attributes:
        pictures: of the class, that could be read.
        bounds: what the class itself and the VAE show.
        failures: pictures that were left out.
    """

    pictures: int
    measures: Sequence[Measure]
    scores: Sequence[Score]
    bounds: Sequence[Score]
    failures: Sequence[Failure]

    def as_json(self) -> dict[str, Any]:
        return {
            "failures": console.failures_json(self.failures),
            "class": self.pictures,
            "interval": INTERVAL,
            "measures": [measure.as_json() for measure in self.measures],
            "bounds": [_row(score) for score in self.bounds],
            "scores": [_row(score) for score in self.scores],
        }


def _measure(grid: grids.Grid, made: grids.MadeGrid, networks: Networks) -> Found:
    """Look at the class and at the centroids, and compare."""
    from latmix.study.quality import Scoring, measures_of, score_bounds, score_cells, see_class

    run, bench = grid.run, grid.run.bench
    paths, draws = grid.draws.paths, len(grid.draws.orders)
    scoring = Scoring(made.inversion.settings, networks.load(bench.model), bench.batch)
    known, failures = run.drive(see_class(paths, scoring))
    told = {failure.path for failure in made.inversion.failures}
    console.tell_failures(failure for failure in failures if failure.path not in told)
    scores = run.drive(score_cells(made.cells, known, scoring))
    bounds = run.drive(score_bounds(bench.model, paths, known, draws, scoring))
    return Found(len(paths) - len(failures), measures_of(networks.names), scores, bounds, failures)


def _say_cost_only(grid: grids.Grid, as_json: bool) -> int:
    cost = grids.find_cost(grid)
    if as_json:
        console.print_json(asdict(cost))
    else:
        console.screen().print(grids.cost_text(cost))
    return 0


def _row(score: Score) -> dict[str, Any]:
    value = score.value
    cells = (score.method, score.count, score.measure, value.mean, value.low, value.high)
    return dict(zip(COLUMNS, cells, strict=True))


def _print_scores(found: Found) -> None:
    """A table for each measure: methods down, N across, each with half its 95 % interval."""
    from latmix.report import plain_table

    counts = sorted({score.count for score in found.scores})
    screen = console.screen()
    screen.print(f"±: half the interval of {INTERVAL}")
    for measure in found.measures:
        screen.print(f"{measure.name}: {measure.meaning}")
        table = plain_table("", *(f"#N = {count}" for count in counts))
        for method in dict.fromkeys(score.method for score in found.scores):
            line = (s for s in found.scores if (s.method, s.measure) == (method, measure.name))
            table.add_row(method, *(_shown(score.value) for score in line))
        screen.print(table)
        for bound in found.bounds:
            if bound.measure == measure.name:
                of = plural(bound.count, "picture")
                screen.print(f"{bound.method}, {of}: {_shown(bound.value)}")
        screen.print()


def _shown(value: Estimate) -> str:
    digits = 0 if abs(value.mean) >= 100 else 1 if abs(value.mean) >= 10 else 2
    digits = 4 if abs(value.mean) < 0.1 else digits
    return f"{value.mean:.{digits}f} ± {(value.high - value.low) / 2:.{digits}f}"
