"""A contact sheet as a vector figure, its labels as text. For `figures.write_figure`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from latmix.names import display_name
from latmix.study.figures import COLUMN, new_figure, plain_text
from latmix.study.sheet import ALARM, FAINT, INK, Sheet, SheetCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES = 0.9
"""Largest width of a picture."""


def draw_sheet_figure(sheet: Sheet) -> Figure:
    """The sheet, over two columns of a paper at most."""
    rows, columns = len(sheet.rows), len(sheet.columns)
    label = 0.06 * max(len(name) for name, _ in sheet.rows) + 0.1
    text = 0.05 * max(len(sheet.title), len(sheet.note))
    width = min(2 * COLUMN, max(INCHES * columns + label, text))
    shape = max((p.height / p.width for p in sheet.pictures), default=1.0)
    cell = (width - label) / columns * shape + (0.16 if sheet.is_captioned else 0.02)
    lines = 0.2 * sum(map(bool, (sheet.title, sheet.note)))
    figure = new_figure(width, cell * rows + 0.2 + lines)
    grid = figure.subplots(rows, columns, squeeze=False)
    for (name, cells), axes in zip(sheet.rows, grid, strict=True):
        side: dict[str, Any] = {"rotation": 0, "ha": "right", "va": "center"}
        axes[0].set_ylabel(_label(name), **side)
        for axis, each in zip(axes, cells, strict=False):
            _draw_cell(axis, each)
    for axis, name in zip(grid[0], sheet.columns, strict=True):
        axis.set_title(_label(name), pad=2.5)
    faint: dict[str, Any] = {"fontsize": 6.5, "color": FAINT}
    if sheet.title:
        figure.suptitle(_label(sheet.title), **faint)
    if sheet.note:
        figure.supxlabel(_label(sheet.note), **faint)
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)
    return figure


def _draw_cell(axis: Axes, cell: SheetCell) -> None:
    if cell.picture is not None:
        axis.imshow(cell.picture, interpolation="none")
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set_visible(False)
    if cell.caption:
        colour = ALARM if cell.is_alarming else INK
        axis.set_xlabel(_label(cell.caption), labelpad=1.5, fontsize=6.0, color=colour)


def _label(text: str) -> str:
    """The text for matplotlib, whose fonts have a minus sign (Pillow's has none)."""
    return plain_text(display_name(text)).replace("= -", "= \N{MINUS SIGN}")
