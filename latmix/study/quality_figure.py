"""The figure of a quality study: a panel for each measure, a line for each method, against N.

Called by `latmix study quality`. Needs matplotlib, the extra `latmix[figures]`.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from latmix.store.durable import write_durably
from latmix.study.quality import CLASS, Measure, Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".png", ".svg", ".pdf")

MISSING = "The figure is drawn with matplotlib: pip install 'latmix[figures]'."

WIDTH, HEIGHT, COLUMNS = 3.2, 2.5, 3
"""Inches of a panel, and panels side by side."""

MARKERS = "osD^vP*X"


def can_draw() -> bool:
    """Whether matplotlib is there."""
    return importlib.util.find_spec("matplotlib") is not None


def write_figure(
    path: Path, measures: Sequence[Measure], scores: Sequence[Score], bounds: Sequence[Score]
) -> None:
    """Draw the figure and write it, whole or not at all, as the path's ending says.

    The grey band is what as many pictures of the class itself show, the dashed line what the VAE
    leaves of them; bars and band are 95 %.

    Raises:
        StoreError: it cannot be written.
    """
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(measures))
    rows = -(-len(measures) // columns)
    figure = Figure(figsize=(WIDTH * columns, HEIGHT * rows + 0.4), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for spare in panels[len(measures) :]:
        spare.remove()
    for panel, measure in zip(panels, measures, strict=False):
        _draw_bounds(panel, [bound for bound in bounds if bound.measure == measure.name])
        _draw_lines(panel, [score for score in scores if score.measure == measure.name])
        panel.set_title(measure.name, fontsize=9)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(7, len(labels)))
    content = io.BytesIO()
    # Without a date, so that the same scores give the same file.
    about = {"Date": None} if path.suffix.lower() == ".svg" else {}
    about = {"CreationDate": None} if path.suffix.lower() == ".pdf" else about
    figure.savefig(content, format=path.suffix.lower().removeprefix("."), dpi=150, metadata=about)
    write_durably(path, lambda file: file.write(content.getvalue()))


def _draw_bounds(panel: Axes, bounds: Sequence[Score]) -> None:
    for bound in bounds:
        if bound.method == CLASS:
            panel.axhspan(bound.value.low, bound.value.high, color="0.88", linewidth=0, label=CLASS)
        else:
            panel.axhline(
                bound.value.mean, color="0.4", linewidth=0.8, linestyle="--", label=bound.method
            )


def _draw_lines(panel: Axes, scores: Sequence[Score]) -> None:
    """A line for each method over N; the methods stand a little apart, so that bars can be seen."""
    methods = list(dict.fromkeys(score.method for score in scores))
    for at, method in enumerate(methods):
        line = [score for score in scores if score.method == method]
        values = [score.value for score in line]
        panel.errorbar(
            [score.count * 1.03 ** (at - (len(methods) - 1) / 2) for score in line],
            [value.mean for value in values],
            [
                [value.mean - value.low for value in values],
                [value.high - value.mean for value in values],
            ],
            color=f"C{at}",
            marker=MARKERS[at % len(MARKERS)],
            markersize=4,
            linewidth=1,
            elinewidth=0.7,
            capsize=2,
            label=method,
        )
    counts = sorted({score.count for score in scores})
    panel.set_xscale("log", base=2)
    panel.set_xticks(counts, [str(count) for count in counts])
    panel.minorticks_off()
    panel.set_xlabel("pictures N")
    panel.spines[["top", "right"]].set_visible(False)
