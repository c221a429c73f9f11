"""A chart in plain text: points of several series, and curves, on axes. Needs no matplotlib."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MARKS = "ox+*#@%&"
"""One a series, in order; a series beyond them starts anew."""

CURVE = "·"

LINES = 16
"""Of the plane of a chart."""


@dataclass(frozen=True)
class Plot:
    """One series: its points, and a curve through or beside them."""

    name: str
    points: Sequence[tuple[float, float]]
    curve: Sequence[tuple[float, float]] = ()


def draw_chart(
    plots: Sequence[Plot],
    *,
    x_label: str,
    y_label: str,
    x_ticks: Sequence[float],
    width: int = 72,
    x_scale: Callable[[float], float] = math.sqrt,
) -> str:
    """The chart as lines of text: y axis, points over curves, x axis, legend.

    Args:
        x_ticks: where the x axis carries numbers; those without room are left out.
        width: of the whole in characters.
        x_scale: increasing; the x axis is even in it.
    """
    values = [y for plot in plots for _, y in (*plot.points, *plot.curve)]
    ticks = _ticks(min(0.0, *values), max(0.0, *values), LINES // 4)
    low, high = ticks[0], ticks[-1]
    margin = max(len(f"{tick:g}") for tick in ticks)
    columns = width - margin - 3
    ends = [x_scale(x) for x in x_ticks]

    def column(x: float) -> int:
        share = (x_scale(x) - min(ends)) / ((max(ends) - min(ends)) or 1.0)
        return 1 + round(share * (columns - 3))

    def line(y: float) -> int:
        return round((high - y) / (high - low) * (LINES - 1))

    plane = [[" "] * columns for _ in range(LINES)]
    for plot in plots:
        for x, y in plot.curve:
            plane[line(y)][column(x)] = CURVE
    for index, plot in enumerate(plots):
        for x, y in plot.points:
            plane[line(y)][column(x)] = MARKS[index % len(MARKS)]
    labels = {line(tick): f"{tick:g}" for tick in ticks}
    rows = [
        f"{labels.get(row, ''):>{margin}} {'┤' if row in labels else '│'}{''.join(cells)}".rstrip()
        for row, cells in enumerate(plane)
    ]
    marked = sorted({column(x) for x in x_ticks})
    axis = "".join("┴" if place in marked else "─" for place in range(columns))
    numbers = _numbers([(column(x), f"{x:g}") for x in sorted(x_ticks)], columns)
    legend = "   ".join(f"{MARKS[i % len(MARKS)]} {plot.name}" for i, plot in enumerate(plots))
    return "\n".join(
        [
            y_label,
            *rows,
            f"{'':>{margin}} └{axis}",
            f"{'':>{margin}}  {numbers}  {x_label}".rstrip(),
            f"{'':>{margin}}  {legend}",
        ]
    )


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers that span [low, high], at most about `most` steps."""
    span = (high - low) or 1.0
    rough = span / max(1, most)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * index, 12) for index in range(first, max(last, first + 1) + 1)]


def _numbers(labels: Sequence[tuple[int, str]], columns: int) -> str:
    """The labels, each centred under its column where there is room for it; the last always."""
    placed = [" "] * (columns + 8)
    free = len(placed)
    for place, text in reversed(labels):
        start = max(0, place - len(text) // 2)
        if start + len(text) < free:
            placed[start : start + len(text)] = text
            free = start
    return "".join(placed).rstrip()
