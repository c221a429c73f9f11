"""`latmix study bias`: how the bias of centroids grows with N (L&K figure 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from latmix.cli import console
from latmix.cli.bias_tables import Draws, LawName, bias_findings
from latmix.cli.command import command
from latmix.cli.lists import Channels, check_channels, check_counts, readable_counts, whole_numbers
from latmix.cli.options import (
    Inverting,
    Method,
    ModelOptions,
    PictureOptions,
    Recursive,
    argument,
    option,
)
from latmix.cli.outputs import Outputs, Seed, StudyOptions
from latmix.cli.run import Run, find_pictures
from latmix.errors import UsageError
from latmix.mixing.grid import parse_method
from latmix.names import display_name

if TYPE_CHECKING:
    from latmix.jobs.inversion import Inversion
    from latmix.study.bias import BiasSeries, Drawing


@command
def bias(
    model: ModelOptions,
    inverting: Inverting,
    output: StudyOptions,
    folders: Annotated[list[Path] | None, argument("Folders of pictures, each a series.")] = None,
    demo: Annotated[
        list[str] | None,
        option("Built-in pictures (faces, animals, food, hearts); may be repeated."),
    ] = None,
    counts: Annotated[
        str | None,
        option(
            "Values of N, as 1,4,16.  [default: squares up to the folder's pictures]",
            "-n",
            "--counts",
        ),
    ] = None,
    method: Method = "fix/0",
    draws: Draws = 32,
    seed: Seed = 0,
    channels: Channels = None,
    law: LawName = "paper",
    pool: Annotated[
        int | None,
        option("Draw from the first so many readable pictures.  [default: all]", least=1),
    ] = None,
    recursive: Recursive = False,
) -> int:
    """Channel means and amplification of random centroids against N, with the law fitted."""
    from latmix.study.bias import Drawing

    drawing = Drawing(parse_method(method).name, draws, seed, law)
    wanted = whole_numbers(counts, "-n") if counts is not None else None
    shown = whole_numbers(channels, "--channels", least=0) if channels is not None else None
    places = _places(folders or [], demo or [], recursive)
    found = {name: (place, find_pictures(place)) for name, place in places.items()}
    for name, (_, paths) in found.items():
        check_counts(wanted, min(len(paths), pool or len(paths)), name)
    inputs = [path for _, paths in found.values() for path in paths]
    outputs = Outputs.of(output.output, inputs=inputs)
    run = Run.of(model, inverting, output.quiet)
    check_channels(shown, run.bench.source.channels)
    all_series: list[BiasSeries] = []
    inversions: list[Inversion] = []
    for name, (place, paths) in found.items():
        inversion = run.of_demo(place.demo).invert(paths, pool)
        inversions.append(inversion)
        all_series.append(_measured(run, name, inversion, wanted, drawing))
    findings = bias_findings(all_series, shown, run.bench.source.name, drawing)
    failures = [failure for inversion in inversions for failure in inversion.failures]
    content = findings.content | {"failures": console.failures_json(failures)}
    cached = {"cached": sum(inversion.cached for inversion in inversions)}
    findings = replace(findings, content=content, failures=failures, of_this_run=cached)
    return outputs.finish(output, findings)


def _places(
    folders: Sequence[Path], demos: Sequence[str], recursive: bool
) -> dict[str, PictureOptions]:
    """The series by name: the folder's, or its whole path where another has that name.

    Raises:
        UsageError: there are none.
    """
    if not folders and not demos:
        raise UsageError(
            "No folders are named.",
            "Name folders of pictures, or use built-in ones: --demo faces --demo hearts.",
        )
    places = [(f.resolve().name, f, PictureOptions([f], recursive=recursive)) for f in folders]
    places += [(name, Path(name), PictureOptions(demo=name)) for name in demos]
    taken = [name for name, _, _ in places]
    return {
        display_name(name if taken.count(name) == 1 and name else path): place
        for name, path, place in places
    }


def _measured(
    run: Run, name: str, inversion: Inversion, counts: Sequence[int] | None, drawing: Drawing
) -> BiasSeries:
    """The series of one folder, at those N for which enough pictures could be read."""
    from latmix.jobs.measurement import measure
    from latmix.study.bias import default_counts, measure_bias

    pictures = len(inversion.rows)
    fit = readable_counts(counts or default_counts(pictures), pictures, name)
    live = run.drive(measure(inversion))
    return run.drive(measure_bias(name, live, fit, drawing))
