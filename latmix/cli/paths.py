"""`latmix study paths`: the mixing methods in two dimensions (L&K figure 2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from latmix.cli import console
from latmix.cli.command import command
from latmix.cli.lists import method_names, numbers
from latmix.cli.options import option
from latmix.cli.outputs import FIGURES, TABLES, Findings, Outputs, StudyOptions, figure_writers
from latmix.errors import UsageError
from latmix.names import display_name

if TYPE_CHECKING:
    from latmix.study.paths import MethodPaths, Place


@command
def paths(
    output: StudyOptions,
    point: Annotated[
        list[str] | None, option("X,Y; two or more, joined in this order.", "-p", "--point")
    ] = None,
    methods: Annotated[
        str | None,
        option(
            "Methods, with commas between them.  [default: all that split nothing off]",
            "--methods",
            "-m",
        ),
    ] = None,
    steps: Annotated[int, option("Of the weight, from point to point.", least=2)] = 100,
    frames: Annotated[int, option("Of an animation, one way.", least=2)] = 40,
) -> int:
    """Paths between points of the plane under the mixing methods, with norm rings."""
    from latmix.study.animations import SUFFIXES as MOVING
    from latmix.study.animations import write_animation
    from latmix.study.paths import POINTS, RADIUS, flat_methods, trace_paths
    from latmix.study.paths_figure import animate_paths, draw_paths

    points = _points(point) if point else list(POINTS)
    names = method_names(methods) if methods is not None else flat_methods()
    drawn = (*FIGURES, *MOVING)
    outputs = Outputs.of(output.output, (*drawn, *TABLES), drawn=drawn)
    traced = [trace_paths(points, name, steps) for name in names]
    content: dict[str, Any] = {
        "radius": RADIUS,
        "points": [list(place) for place in points],
        "methods": [_paths_json(each) for each in traced],
    }
    still = figure_writers(lambda: draw_paths(traced, points))

    def move(path: Path) -> None:
        write_animation(animate_paths(traced, points, frames), path)

    findings = Findings(
        content, _rows(traced), still | dict.fromkeys(MOVING, move), lambda: _print(traced)
    )
    return outputs.finish(output, findings)


def _points(words: Sequence[str]) -> list[Place]:
    """The points of "X,Y" words.

    Raises:
        UsageError: a word is no point, a point is the origin, or there is one only.
    """
    points: list[Place] = []
    for word in words:
        place = numbers(word, "--point")
        if len(place) != 2 or not any(place):
            raise UsageError(
                f"--point {display_name(word)} is not X,Y, away from the origin.",
                "Write --point 1.5,-0.2.",
            )
        points.append((place[0], place[1]))
    if len(points) < 2:
        raise UsageError("A path has two ends.", "Give --point twice or more.")
    return points


def _rows(traced: Sequence[MethodPaths]) -> list[dict[str, object]]:
    columns = ("method", "leg", "weight", "x", "y", "norm")
    rows = [
        (each.method, number, sample.weight, *sample.place, sample.norm)
        for each in traced
        for number, leg in enumerate(each.legs, start=1)
        for sample in leg
    ]
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _paths_json(each: MethodPaths) -> dict[str, Any]:
    legs = [[[s.weight, *s.place] for s in leg] for leg in each.legs]
    centroid = list(each.centroid) if each.centroid else None
    return {
        "method": each.method,
        "smallest_norm": min(each.norms),
        "largest_norm": max(each.norms),
        "centroid": centroid,
        "legs": legs,
    }


def _print(traced: Sequence[MethodPaths]) -> None:
    """The norm along the paths as a chart, and its range and the centroid as a table."""
    from latmix.study.chart import Plot
    from latmix.study.paths import RADIUS

    plots = [
        Plot(
            each.method,
            [
                (number + sample.weight, sample.norm)
                for number, leg in enumerate(each.legs)
                for sample in leg[:: max(1, len(leg) // 20)]
            ],
        )
        for each in traced
    ]
    console.print_chart(
        plots,
        x_label="weight",
        y_label=f"norm along the path; a typical sample has {RADIUS:.3f}",
        x_ticks=[tick / 2 for tick in range(2 * len(traced[0].legs) + 1)],
        x_scale=float,
    )
    heads = ("method", "#smallest norm", "#largest", "#centroid's", "#its angle")
    console.print_table(heads, map(_cells, traced))


def _cells(each: MethodPaths) -> tuple[str, ...]:
    """A line of the table."""
    centroid = ("-", "-")
    if each.centroid:
        angle = math.degrees(math.atan2(each.centroid[1], each.centroid[0]))
        centroid = (f"{math.hypot(*each.centroid):.3f}", f"{angle:.1f}°")
    return (each.method, f"{min(each.norms):.3f}", f"{max(each.norms):.3f}", *centroid)
