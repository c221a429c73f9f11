"""L&K figure 7, drawn: a panel for each measure, against N. For `figures.write_figure`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from latmix.study.figures import add_legend, draw_intervals, draw_level, method_look, new_panels
from latmix.study.quality import CLASS, Measure, Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
    figure, axes = new_panels(len(measures), columns, [measure.name for measure in measures])
    for axis, measure in zip(axes, measures, strict=True):
        _draw_bounds(axis, [bound for bound in bounds if bound.measure == measure.name])
        _draw_methods(axis, [score for score in scores if score.measure == measure.name])
    add_legend(figure, -(-len(axes) // columns), 1.1, handlelength=3.2)
    return figure


def _draw_bounds(axis: Axes, bounds: Sequence[Score]) -> None:
    for bound in bounds:
        value = bound.value
        if bound.method == CLASS:
            axis.axhspan(value.low, value.high, color="#E2E2E2", linewidth=0, label=CLASS)
        else:
            draw_level(axis, value.mean, bound.method)


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
