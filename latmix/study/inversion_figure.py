"""Quality against cost of inversion, drawn: a column for each guidance. For `write_figure`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from latmix.study.figures import (
    COLUMN,
    HEIGHT,
    add_legend,
    draw_intervals,
    draw_level,
    new_figure,
    series_look,
)
from latmix.study.inversion import Tried

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 0.72
"""Of a panel, in columns of a paper."""

ROWS = {"picture": "dB against the picture", "reconstruction": "dB against the VAE"}


def draw_inversion(found: Sequence[Tried]) -> Figure:
    """PSNR of the round trip against its network evaluations: a line for each solver, through its
    numbers of steps, with bars of 95 % over the pictures. Dotted: the VAE alone, the bound."""
    guidances = list(dict.fromkeys(tried.trial.guidance for tried in found))
    solvers = list(dict.fromkeys(tried.trial.solver for tried in found))
    width = max(COLUMN, WIDTH * COLUMN * len(guidances))
    figure = new_figure(width, 2 * HEIGHT)
    grid = figure.subplots(2, len(guidances), squeeze=False, sharex=True, sharey="row")
    for row, (measure, label) in zip(grid, ROWS.items(), strict=True):
        for axis, scale in zip(row, guidances, strict=True):
            here = [tried for tried in found if tried.trial.guidance == scale and tried.trips]
            _draw_solvers(axis, here, solvers, measure)
            axis.set_xscale("log")
            axis.xaxis.set_major_formatter("{x:g}")
        row[0].set_ylabel(label)
    for axis, scale in zip(grid[0], guidances, strict=True):
        axis.set_title(f"guidance {scale:g}", loc="left")
    for axis in grid[1]:
        axis.set_xlabel("evaluations, both ways")
    add_legend(figure, 2, 1.1, handlelength=3.2)
    return figure


def _draw_solvers(axis: Axes, found: Sequence[Tried], solvers: Sequence[str], name: str) -> None:
    for index, solver in enumerate(solvers):
        line = sorted(
            (tried for tried in found if tried.trial.solver == solver),
            key=lambda tried: tried.evaluations,
        )
        values = [value for value in (tried.decibels(name) for tried in line) if value]
        if not values:
            continue
        look, at = series_look(index), [tried.evaluations for tried in line]
        draw_intervals(axis, at, values, look)
        axis.plot(at, [value.mean for value in values], label=solver, **look.line)
    bounds = [tried.decibels("vae") for tried in found]
    if name == "picture" and bounds and bounds[0]:
        draw_level(axis, bounds[0].mean, "the VAE alone")
