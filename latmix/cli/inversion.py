"""`latmix study inversion`: how well each solver's inversions come back, against their cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby, product
from typing import TYPE_CHECKING, Annotated, Any

from latmix.cli import console
from latmix.cli.command import Given, Settings, command
from latmix.cli.lists import names, numbers, whole_numbers
from latmix.cli.options import ModelOptions, PictureOptions, SomePictures, option
from latmix.cli.outputs import DryRun, Findings, StudyOptions, figure_writers, find_kept
from latmix.cli.run import Run, find_pictures
from latmix.errors import LatmixError, UsageError
from latmix.names import display_name, plural
from latmix.session.choices import USUAL_COUNT

if TYPE_CHECKING:
    from latmix.models.source import ModelSource
    from latmix.study.inversion import Tried, Trying

FIGURES_OF = ("vae", "picture", "reconstruction")

HEALTH = ("norm_ratio", "bias", "excess_kurtosis", "low_share")
NEIGHBOURS = ("correlation_across", "correlation_down")

COLUMNS = (
    *("solver", "steps", "guidance", "inverting", "generating", "pictures", "left_out"),
    *("psnr_vae", "psnr_picture", "psnr_picture_low", "psnr_picture_high"),
    *("psnr_reconstruction", "psnr_reconstruction_low", "psnr_reconstruction_high"),
    *("ssim_vae", "ssim_picture", "ssim_reconstruction", *HEALTH, *NEIGHBOURS),
)


@command
def inversion(
    pictures: PictureOptions,
    model: ModelOptions,
    output: StudyOptions,
    *,
    solvers: Annotated[
        str | None,
        option("Solvers, with commas between them.  [default: all that the model can use]"),
    ] = None,
    steps: Annotated[
        str, option("Numbers of steps, both ways, with commas between them.")
    ] = "10,20,50",
    guidance: Annotated[
        str | None,
        option("Guidance scales, both ways.  [default: 1,3,7.5; 1 where the model has none]"),
    ] = None,
    count: SomePictures = USUAL_COUNT,
    seen: Annotated[Given, Settings.named("prompt", "negative", "size", "fit")],
    dry_run: DryRun = False,
) -> int:
    """Solvers by steps by guidance: what comes back of pictures, and at how many evaluations."""
    from latmix.study.inversion import Trial, Trying, estimate_trials, readable_rows, try_all
    from latmix.study.inversion_figure import draw_inversion

    counts = whole_numbers(steps, "--steps")
    paths = list(dict.fromkeys(find_pictures(pictures)))
    outputs, kept = find_kept(output.output, "inversion", paths)
    run = Run.of(model, seen, output.quiet, pictures.demo)
    bench, like = run.bench, run.inverting
    _check_steps(bench.source, counts[-1], like.size)
    tried = _solver_names(solvers, bench.source), counts, _scales(guidance, bench.source)
    trials = [Trial(*each) for each in product(*tried)]
    rows, failures = run.drive(readable_rows(paths, like, run.choices.prompt, count))
    console.tell_failures(failures)
    if not rows:
        raise LatmixError("None of the pictures can be read.", "The lines above say why.")
    trying = Trying(rows, like, kept)
    cost = estimate_trials(bench, trials, trying)
    if dry_run:
        return output.tell_cost(cost)
    run.say(str(cost))
    found = run.drive(try_all(bench, trials, trying))
    content = _content(bench.source, trying, found) | {"failures": console.failures_json(failures)}
    findings = Findings(
        content,
        [{column: row.get(column) for column in COLUMNS} for row in content["trials"]],
        figure_writers(lambda: draw_inversion(found)),
        lambda: _print(found),
        failures,
        {"kept": sum(tried.kept for tried in found)},
    )
    return outputs.finish(output, findings)


def _check_steps(source: ModelSource, most: int, size: tuple[int, int]) -> None:
    """Raises: ValueError: the model has no room for that many."""
    from latmix.sampling.levels import Levels

    Levels.of(source.schedule, most, source.patches(source.latent_shape(size)))


def _solver_names(text: str | None, source: ModelSource) -> list[str]:
    """Those of --solvers, each once, or all that a model can use.

    Raises:
        UsageError: none is named. ValueError: one is unknown, or not for this model.
    """
    from latmix.sampling.solvers import SOLVERS, check_solver

    if text is None:
        return [solver.name for solver in SOLVERS.values() if solver.suits(source)]
    return names(text, "solver", lambda word: check_solver(word, source).name, "ddim,fixed-point")


def _scales(text: str | None, source: ModelSource) -> list[float]:
    """The guidance scales, ascending, each once.

    Raises:
        UsageError: one is no number of at least 0.
    """
    if text is None:
        return [1.0, 3.0, 7.5] if source.takes_guidance else [1.0]
    scales = sorted(set(numbers(text, "--guidance")))
    if scales[0] < 0:
        raise UsageError(f"--guidance {display_name(text)} is below 0.", "1 is no guidance.")
    return scales


def _content(source: ModelSource, trying: Trying, found: Sequence[Tried]) -> dict[str, Any]:
    """What was asked for and found: the same however often the run was stopped."""
    return {
        "model": {"name": source.name, "fingerprint": source.fingerprint},
        "interval": "95 %, bootstrap over the pictures",
        "size": list(trying.like.size),
        "fit": trying.like.fit,
        "negative": trying.like.negative,
        "images": [
            {"path": display_name(row.path), "sha256": row.sha256, "prompt": row.prompt}
            for row in trying.rows
        ],
        "trials": [_row(tried) for tried in found],
    }


def _row(tried: Tried) -> dict[str, Any]:
    row = asdict(tried.trial) | {
        "inverting": round(tried.inverting, 2),
        "generating": tried.generating,
        "pictures": len(tried.trips),
        "left_out": tried.left_out,
    }
    if not tried.trips or tried.health is None:
        return row
    for figure in FIGURES_OF:
        if (value := tried.decibels(figure)) is None:
            continue
        row[f"psnr_{figure}"] = value.mean
        if figure != "vae":
            row |= {f"psnr_{figure}_low": value.low, f"psnr_{figure}_high": value.high}
        values = [getattr(trip["ssim"], figure) for trip in tried.trips]
        row[f"ssim_{figure}"] = sum(values) / len(values)
    return row | {name: getattr(tried.health, name) for name in (*HEALTH, *NEIGHBOURS)}


def _print(found: Sequence[Tried]) -> None:
    """For each guidance a table; and a chart of the whole."""
    screen = console.screen()
    scales = list(dict.fromkeys(tried.trial.guidance for tried in found))
    for scale in scales:
        here = [tried for tried in found if tried.trial.guidance == scale]
        bound = next((tried.decibels("vae") for tried in here if tried.trips), None)
        said = f"; the VAE alone: {bound.mean:.2f} dB" if bound else ""
        screen.print(f"guidance {scale:g}, {plural(len(here[0].trips), 'picture')}{said}")
        heads = ("#calls", "#dB", "#against\nVAE dB", "#SSIM", "#norm/√L", "#kurtosis")
        console.print_table(["solver", "#steps", *heads, ""], map(_cells, here))
        _print_chart(here)
        screen.print()
    screen.print(
        "calls: network evaluations for a picture, both ways; ±: half the interval of 95 %, "
        "bootstrap over the pictures"
    )


def _cells(tried: Tried) -> list[str]:
    row, trial = _row(tried), tried.trial
    note = f"{plural(tried.left_out, 'picture')} diverged" if tried.left_out else ""
    start = [trial.solver, str(trial.steps), f"{tried.evaluations:.0f}"]
    if not tried.trips:
        return [*start, *("-",) * 5, note]
    shown = []
    for figure in ("psnr_picture", "psnr_reconstruction"):
        half = (row[f"{figure}_high"] - row[f"{figure}_low"]) / 2
        shown.append(f"{row[figure]:.2f} ±{half:.1f}")
    rest = [f"{row[name]:.3f}" for name in ("ssim_picture", "norm_ratio", "excess_kurtosis")]
    return [*start, *shown, *rest, note]


def _print_chart(found: Sequence[Tried]) -> None:
    from latmix.study.chart import Plot

    plots = []
    for solver, group in groupby(found, key=lambda tried: tried.trial.solver):
        values = [(tried.evaluations, tried.decibels("reconstruction")) for tried in group]
        plots.append(Plot(solver, [(at, value.mean) for at, value in values if value]))
    ticks = sorted({round(tried.evaluations) for tried in found if tried.trips})
    if not ticks:
        console.screen().print("All trials diverged.")
        return
    labels = {"x_label": "evaluations", "y_label": "dB against the VAE"}
    console.print_chart(plots, x_ticks=ticks, x_scale=math.log, **labels)
