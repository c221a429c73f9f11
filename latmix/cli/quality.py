"""`latmix study quality`: many random centroids against the class they come from (L&K figure 7)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from latmix.cli import console, grids
from latmix.cli.command import command
from latmix.cli.lists import Methods, method_names
from latmix.cli.options import Guidance, Inverting, ModelOptions, PictureOptions, option
from latmix.cli.outputs import DryRun, Findings, Seed, StudyOptions, figure_writers, find_kept
from latmix.cli.run import Run, find_pictures
from latmix.errors import LatmixError
from latmix.mixing.grid import DEFAULT_METHOD
from latmix.names import plural

if TYPE_CHECKING:
    from latmix.measures.intervals import Estimate
    from latmix.study.quality import Measure, Score

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
        int, option("Random centroids for each method and number.", "--draws", "--repeats", least=2)
    ] = 16,
    seed: Seed = 0,
    features: Annotated[
        str,
        option(
            "What distances are measured in, with commas between: vae (the model's own), "
            "efficientnet, inception (FID and KID), clip."
        ),
    ] = "vae",
    inception: Annotated[
        Path | None, option("The file of Inception's weights.  [default: the one in torch's cache]")
    ] = None,
    clip: Annotated[
        str, option("A CLIP model: a folder, or a hub id that is on this machine.")
    ] = "openai/clip-vit-base-patch32",
    guidance: Guidance,
    dry_run: DryRun = False,
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
    from latmix.study.cells import Grid
    from latmix.study.cost import estimate_cost
    from latmix.study.draws import Draws
    from latmix.study.quality import Scoring, measures_of, score_bounds, score_cells, see_class
    from latmix.study.quality_figure import draw_quality

    networks = Networks(parse_extractors(features), inception, clip)
    networks.check()
    outputs, cells = find_kept(output.output, "quality", paths)
    run = Run.of(model, inverting | guidance, output.quiet, pictures.demo)
    drawn = Draws.random(paths, draws, seed)
    grid = Grid(drawn, names, numbers, run.choices, cells, pictures.strict)
    if dry_run:
        return output.tell_cost(run.drive(estimate_cost(run.bench, grid)))
    made = grids.make_grid(run, grid)
    scoring = Scoring(run.inverting, networks.load(run.bench.model), run.bench.batch)
    known, failures = run.drive(see_class(paths, scoring))
    told = {failure.path for failure in made.inversion.failures}
    console.tell_failures(failure for failure in failures if failure.path not in told)
    scores = run.drive(score_cells(made.cells, known, scoring))
    bounds = run.drive(score_bounds(run.bench.model, paths, known, draws, scoring))
    measures = measures_of(networks.names)
    content = grids.made_json(run, grid, made) | {
        "failures": console.failures_json(failures),
        "class": len(paths) - len(failures),
        "interval": INTERVAL,
        "measures": [measure.as_json() for measure in measures],
        "bounds": [_row(score) for score in bounds],
        "scores": [_row(score) for score in scores],
    }
    findings = Findings(
        content,
        content["scores"] + content["bounds"],
        figure_writers(lambda: draw_quality(measures, scores, bounds)),
        lambda: _print_scores(measures, scores, bounds),
        failures,
        grids.run_json(made),
    )
    return outputs.finish(output, findings)


def _row(score: Score) -> dict[str, Any]:
    of = {"method": score.method, "count": score.count, "measure": score.measure}
    return of | {"value": score.value.mean, "low": score.value.low, "high": score.value.high}


def _print_scores(
    measures: Sequence[Measure], scores: Sequence[Score], bounds: Sequence[Score]
) -> None:
    """A table for each measure: methods down, N across, each with half its 95 % interval."""
    screen = console.screen()
    screen.print(f"±: half the interval of {INTERVAL}")
    for measure in measures:
        screen.print(f"{measure.name}: {measure.meaning}")
        here = [score for score in scores if score.measure == measure.name]
        lines: dict[str, list[str]] = {}
        for score in here:
            lines.setdefault(score.method, [score.method]).append(_shown(score.value))
        counts = sorted({score.count for score in here})
        console.print_table(["", *(f"#N = {count}" for count in counts)], lines.values())
        for bound in bounds:
            if bound.measure == measure.name:
                of = plural(bound.count, "picture")
                screen.print(f"{bound.method}, {of}: {_shown(bound.value)}")
        screen.print()


def _shown(value: Estimate) -> str:
    digits = 0 if abs(value.mean) >= 100 else 1 if abs(value.mean) >= 10 else 2
    digits = 4 if abs(value.mean) < 0.1 else digits
    return f"{value.mean:.{digits}f} ± {(value.high - value.low) / 2:.{digits}f}"
