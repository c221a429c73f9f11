"""L&K figure 7, drawn: a panel for each measure, against N. For `figures.write_figure`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from latmix.study.figures import COLUMN, draw_intervals, method_look, new_figure
from latmix.study.quality import CLASS, Measure, Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 1.9
"""Inches of a panel."""

ASIDE = 1.04
"""Factor between two methods' places at one N, so that no bar hides another."""


def draw_quality(
    measures: Sequence[Measure], scores: Sequence[Score], bounds: Sequence[Score]
) -> Figure:
    """Every method's scores against N, with bars of 95 %.

    The grey band is where 95 % of samples of the class itself lie that have as many pictures as
    there are draws; the dotted line is the mean of what the VAE alone leaves of them.
    """
    columns = 2 if len(measures) in (2, 4) else min(3, len(measures))
    rows = -(-len(measures) // columns)
    width = COLUMN if columns == 1 else 2 * COLUMN
    figure = new_figure(width, HEIGHT * rows + 0.4)
    grid = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for spare in grid[len(measures) :]:
        spare.remove()
    for letter, axis, measure in zip("abcdefghijklmnop", grid, measures, strict=False):
        _draw_bounds(axis, [bound for bound in bounds if bound.measure == measure.name])
        _draw_methods(axis, [score for score in scores if score.measure == measure.name])
        axis.set_title(f"({letter}) {measure.name}", loc="left")
    handles, labels = grid[0].get_legend_handles_labels()
    across = max(1, min(int(width / 1.1), len(labels)))
    figure.set_figheight(HEIGHT * rows + 0.16 * -(-len(labels) // across) + 0.1)
    figure.legend(handles, labels, loc="outside lower center", ncols=across, handlelength=3.2)
    return figure


def _draw_bounds(axis: Axes, bounds: Sequence[Score]) -> None:
    for bound in bounds:
        value = bound.value
        if bound.method == CLASS:
            axis.axhspan(value.low, value.high, color="#E2E2E2", linewidth=0, label=CLASS)
        else:
            dots = (0, (1, 2))
            axis.axhline(
                value.mean, color="black", linewidth=0.7, linestyle=dots, label=bound.method
            )


def _draw_methods(axis: Axes, scores: Sequence[Score]) -> None:
    """A line for each method over N, a little beside the others."""
    methods = list(dict.fromkeys(score.method for score in scores))
    for number, method in enumerate(methods):
        line = [score for score in scores if score.method == method]
        values = [score.value for score in line]
        look = method_look(method)
        at = [score.count * ASIDE ** (number - (len(methods) - 1) / 2) for score in line]
        draw_intervals(axis, at, values, look)
        axis.plot(at, [value.mean for value in values], label=method, **look.line)
    counts = sorted({score.count for score in scores})
    axis.set_xscale("log", base=2)
    axis.set_xlim(counts[0] / 1.3, counts[-1] * 1.3)
    axis.set_xticks(counts, [str(count) for count in counts])
    axis.minorticks_off()
    axis.set_xlabel("pictures $N$")
