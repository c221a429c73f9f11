"""L&K figure 4, drawn: amplification and channel means against N. For `figures.write_figure`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from latmix.mixing.verdict import OFFSET_DAMAGING, OFFSET_VISIBLE
from latmix.names import display_name
from latmix.study.bias import BiasSeries
from latmix.study.figures import add_legend, draw_intervals, new_panels, plain_text, series_look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME_CELLS = 28
"""Characters of a folder's name in a legend."""


def draw_bias(all_series: Sequence[BiasSeries], channels: Sequence[int]) -> Figure:
    """L&K figure 4: amplification and channel means against N, with the fitted law.

    Points are means over draws, bars hold 95 % of the draws, lines are the law.
    """
    columns = min(2, 1 + len(channels))
    figure, axes = new_panels(1 + len(channels), columns)
    _draw_panel(axes[0], all_series)
    axes[0].set_ylabel(r"amplification $\alpha$")
    top = axes[0].get_ylim()[1]
    axes[0].plot([0, top**2], [0, top], color="#777777", linewidth=0.6, label=r"$\sqrt{N}$")
    axes[0].set_ylim(0, top)
    for axis, channel in zip(axes[1:], channels, strict=True):
        _draw_panel(axis, all_series, channel)
        axis.axhline(0.0, color="black", linewidth=0.5, zorder=0)
        axis.set_ylabel(f"mean of channel {channel}")
    _share_limits(axes[1:])
    labels = (label for axis in axes for label in axis.get_legend_handles_labels()[1])
    add_legend(figure, -(-len(axes) // columns), 0.055 * max(map(len, labels)) + 0.45)
    return figure


def _draw_panel(axis: Axes, all_series: Sequence[BiasSeries], channel: int | None = None) -> None:
    """The amplification or a channel's mean against N on a square-root axis, every folder a
    series."""
    counts = sorted({point.count for series in all_series for point in series.points})
    for index, series in enumerate(all_series):
        look = series_look(index)
        # A little beside N, each series its own way, so that none hides another.
        share = (index + 0.5) / len(all_series) - 0.5
        aside = share * math.sqrt(max(counts)) / 32
        places = [(math.sqrt(point.count) + aside) ** 2 for point in series.points]
        draw_intervals(axis, places, [point.value(channel) for point in series.points], look)
        if curve := series.curve(channel):
            axis.plot(*zip(*curve, strict=True), color=look.colour, linestyle=look.dashes, zorder=1)
        axis.plot([], [], label=_legend(series), **look.line)
    axis.set_xscale("function", functions=(_root, _square))
    axis.set_xlim(0, max(counts) * 1.1)
    shown = [n for n in counts if _has_room(n, counts)]
    axis.set_xticks(shown, [str(n) for n in shown])
    axis.set_xlabel(r"pictures $N$ ($\sqrt{N}$ scale)")
    axis.margins(y=0.12)


def _legend(series: BiasSeries) -> str:
    fitted = f" (b = {series.law.bias:.3f})" if series.law else ""
    return plain_text(f"{display_name(series.name, NAME_CELLS)}{fitted}")


def _share_limits(axes: Sequence[Axes]) -> None:
    """One scale for all channels, and the offsets at which damage shows (L&K figure 6)."""
    low = min((axis.get_ylim()[0] for axis in axes), default=0.0)
    high = max((axis.get_ylim()[1] for axis in axes), default=1.0)
    label = f"damage shows ({OFFSET_VISIBLE:g}), is severe ({OFFSET_DAMAGING:g})"
    levels = [sign * size for size in (OFFSET_VISIBLE, OFFSET_DAMAGING) for sign in (-1, 1)]
    for axis in axes:
        for level in levels:
            if low < level < high:
                look: dict[str, Any] = {"color": "#777777", "linestyle": (0, (1, 2))}
                axis.axhline(level, linewidth=0.6, label=label, **look)
        axis.set_ylim(low, high)


def _has_room(count: int, counts: Sequence[int]) -> bool:
    """Whether a tick is far enough from the next larger one to be read."""
    larger = [other for other in counts if other > count]
    room = math.sqrt(max(counts)) / 14
    return not larger or math.sqrt(min(larger)) - math.sqrt(count) >= room


def _root(values: object) -> object:
    import numpy

    return numpy.sqrt(numpy.clip(values, 0, None))  # type: ignore[call-overload]


def _square(values: object) -> object:
    import numpy

    return numpy.square(values)  # type: ignore[call-overload]
