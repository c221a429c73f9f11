"""The look of every figure, and how one is written. matplotlib is imported inside functions only.

A norm target has one colour and one marker, and a mean split one line style, in every figure; the
colours are safe for colour-blind readers and differ in grey, and a marker is filled by mean split.
What is written holds no date, so that the same numbers give the same bytes.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any, Literal

from latmix.errors import LatmixError
from latmix.images.png import MADE_HERE, write_whole
from latmix.mixing.grid import Method, parse_method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from latmix.measures.intervals import Estimate

SUFFIXES = (".png", ".svg", ".pdf")

MISSING = LatmixError(
    "Figures are drawn with matplotlib, which is not installed.",
    "Install it with: pip install 'latmix[figures]'",
)

COLUMN = 3.4
"""Inches: the width of a column of a two-column paper; a figure over both is twice as wide."""

HEIGHT = 1.9
"""Inches: the height of a panel."""

DOTS = 200
"""Dots per inch of a PNG."""

SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "lines.linewidth": 1.1,
    "lines.markersize": 4.0,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "latmix",
    "savefig.dpi": DOTS,
}

_ABOUT: dict[str, Mapping[str, str | None]] = {
    ".png": MADE_HERE,
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None, "ModDate": None},
}


Dashes = tuple[float, tuple[float, ...]]


@dataclass(frozen=True)
class Look:
    """How a series is drawn.

    Attributes:
        dashes: a matplotlib line style: lengths of dashes and gaps.
        fill: a matplotlib fill style: how much of a marker is filled.
    """

    colour: str
    marker: str
    dashes: Dashes = (0, ())
    fill: Literal["full", "none", "left", "top", "bottom"] = "full"

    @property
    def line(self) -> dict[str, Any]:
        """As matplotlib's `plot` takes it."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": self.dashes,
            "fillstyle": self.fill,
        }


_NORMS = {
    "lin": ("#777777", "v"),
    "fix": ("#332288", "o"),
    "nin": ("#CC6677", "s"),
    "coh": ("#117733", "D"),
    "lol": ("#999933", "^"),
    "clol": ("#882255", "<"),
    "adain": ("#AA4499", "P"),
    "slerp": ("#44AA99", "X"),
    "nao": ("#4AA8DD", "*"),
}

_SPLITS: dict[str, tuple[Dashes, Any]] = {
    "0": ((0, ()), "full"),
    "m": ((0, (1, 1.5)), "bottom"),
    "chm": ((0, (4, 1.5)), "none"),
    "lp:auto": ((0, (4, 1.5, 1, 1.5, 1, 1.5)), "top"),
}

_SERIES = (
    Look("#332288", "o", (0, ())),
    Look("#CC6677", "s", (0, (4, 1.5))),
    Look("#117733", "D", (0, (1, 1.5))),
    Look("#AA4499", "^", (0, (4, 1.5, 1, 1.5))),
    Look("#44AA99", "v", (0, (6, 2))),
    Look("#999933", "P", (0, (2, 1))),
    Look("#882255", "X", (0, (4, 1.5, 1, 1.5, 1, 1.5))),
    Look("#777777", "<", (0, (1, 3))),
)


def method_look(method: str | Method) -> Look:
    """The look of a method: colour and marker by norm, line style and filling by mean split; the
    dashes of lp:k are the longer, the larger k is. A norm target of one's own is black.

    Raises:
        ValueError: no such method.
    """
    method = parse_method(method)
    colour, marker = _NORMS.get(method.norm.name, ("#000000", "."))
    if method.split.name in _SPLITS:
        return Look(colour, marker, *_SPLITS[method.split.name])
    length = 2.0 * (method.split.cutoff or 0.0)
    return Look(colour, marker, (0, (1.5 + length, 1.5, 1, 1.5)), "left")


def series_look(index: int) -> Look:
    """The look of a series that is no method: a folder, a channel."""
    return _SERIES[index % len(_SERIES)]


def is_available() -> bool:
    """Whether matplotlib is there, without loading it."""
    return importlib.util.find_spec("matplotlib") is not None


def write_figure(draw: Callable[[], Figure], path: Path) -> None:
    """Draw a figure in latmix's style and write it: PNG, SVG or PDF by the suffix.

    Args:
        draw: makes the figure; called with the style in force.

    Raises:
        ValueError: another suffix.
        LatmixError: matplotlib is not installed, or the file cannot be written.
    """
    write_whole(figure_bytes(draw, path.suffix.lower()), path)


def figure_bytes(draw: Callable[[], Figure], suffix: str) -> bytes:
    """The content of the file that `write_figure` writes."""
    if suffix not in SUFFIXES:
        raise ValueError(f"a figure is written as {', '.join(SUFFIXES)}, not {suffix!r}.")
    if not is_available():
        raise MISSING
    buffer = io.BytesIO()
    with styled():
        kind = suffix.removeprefix(".")
        draw().savefig(buffer, format=kind, metadata=dict(_ABOUT[suffix]))
    return buffer.getvalue()


@contextmanager
def styled() -> Iterator[None]:
    """latmix's style, whatever the user's matplotlibrc says; what was set before comes back."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure on the Agg canvas, sizes in inches, laid out so that nothing overlaps."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new_panels(count: int, columns: int, titles: Sequence[str] = ()) -> tuple[Figure, list[Axes]]:
    """A figure of so many lettered panels, row by row, over one or two columns of a paper."""
    rows = -(-count // columns)
    figure = new_figure(COLUMN * min(2, columns), HEIGHT * rows)
    axes: list[Axes] = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for spare in axes[count:]:
        spare.remove()
    add_letters(axes[:count], titles)
    return figure, axes[:count]


def add_letters(axes: Sequence[Axes], titles: Sequence[str] = ()) -> None:
    """(a), (b), ... over the panels, with a title each where there are any."""
    for index, axis in enumerate(axes):
        title = f"({ascii_lowercase[index]}) {titles[index] if titles else ''}"
        axis.set_title(title.rstrip(), loc="left")


def add_legend(figure: Figure, rows: int, inches: float, **style: Any) -> None:
    """One legend below `rows` rows of panels, each label once; the figure grows by its height.

    Args:
        inches: the width of a label with its line.
    """
    shown: dict[str, Any] = {}
    for axis in figure.axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            shown.setdefault(label, handle)
    across = max(1, min(int(figure.get_figwidth() / inches), len(shown)))
    figure.set_figheight(HEIGHT * rows + 0.16 * -(-len(shown) // across) + 0.1)
    style |= {"loc": "outside lower center", "ncols": across}
    figure.legend(list(shown.values()), list(shown), **style)


def plain_text(text: str) -> str:
    """Text in which matplotlib reads no formula."""
    return text.replace("$", r"\$")


def draw_intervals(axis: Axes, at: Sequence[float], values: Sequence[Estimate], look: Look) -> None:
    """Points with bars over their intervals."""
    below = [max(0.0, value.mean - value.low) for value in values]
    above = [max(0.0, value.high - value.mean) for value in values]
    axis.errorbar(
        at,
        [value.mean for value in values],
        [below, above],
        fmt=look.marker,
        fillstyle=look.fill,
        color=look.colour,
        elinewidth=0.6,
        capsize=1.5,
        capthick=0.6,
        zorder=2,
    )


def draw_level(axis: Axes, value: float, label: str) -> None:
    """A dotted line at a value that others are held against."""
    axis.axhline(value, color="black", linewidth=0.7, linestyle=(0, (1, 2)), label=label)
