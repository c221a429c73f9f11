"""Contact sheets of pictures in memory, with labels: a PNG without matplotlib, or a figure."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

from latmix.study.figures import COLUMN, new_figure, plain_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAP = 6
"""Pixels between two pictures."""

SMALLEST = 128
"""Pixels that a small picture is enlarged to, by a whole factor."""


@dataclass(frozen=True)
class Sheet:
    """Rows of pictures of one size.

    Attributes:
        columns: a label above each column.
        rows: a label before each row.
        pictures: by row; None leaves a cell empty.
        captions: by row, a short text below each picture; empty for none at all.
    """

    columns: Sequence[str]
    rows: Sequence[str]
    pictures: Sequence[Sequence[Image.Image | None]]
    captions: Sequence[Sequence[str]] = ()


def enlarged(picture: Image.Image) -> Image.Image:
    """The picture, by whole pixels at least `SMALLEST` wide."""
    factor = -(-SMALLEST // picture.width)
    size = (picture.width * factor, picture.height * factor)
    return picture if factor == 1 else picture.resize(size, Image.Resampling.NEAREST)


def draw_sheet(sheet: Sheet) -> Image.Image:
    """The sheet on white, every picture at its own size or enlarged by a whole factor."""
    cells = [[cell and enlarged(cell) for cell in row] for row in sheet.pictures]
    width, height = next(cell.size for row in cells for cell in row if cell)
    text = ImageFont.load_default(max(11, width // 11))
    line = round(text.getbbox("Ny|")[3]) + 4
    left = 2 * GAP + round(max((text.getlength(name) for name in sheet.rows), default=0))
    below = line if sheet.captions else 0
    step_x, step_y = width + GAP, height + below + GAP
    size = (left + len(sheet.columns) * step_x, line + GAP + len(cells) * step_y)
    canvas = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(canvas)
    for column, label in enumerate(sheet.columns):
        pen.text((left + column * step_x + width // 2, line), label, "black", text, "mb")
    for row, (label, pictures) in enumerate(zip(sheet.rows, cells, strict=True)):
        top = line + GAP + row * step_y
        pen.text((left - GAP, top + height // 2), label, "black", text, "rm")
        for column, picture in enumerate(pictures):
            x = left + column * step_x
            if picture:
                canvas.paste(picture, (x, top))
            if sheet.captions:
                place = (x + width // 2, top + height + 2)
                pen.text(place, sheet.captions[row][column], "black", text, "mt")
    return canvas


def sheet_bytes(sheet: Sheet) -> bytes:
    """The sheet as the content of a PNG file."""
    buffer = io.BytesIO()
    draw_sheet(sheet).save(buffer, "PNG")
    return buffer.getvalue()


def draw_sheet_figure(sheet: Sheet) -> Figure:
    """A contact sheet with its labels as text, over two columns of a paper at most."""
    rows, columns = len(sheet.rows), len(sheet.columns)
    width = min(2 * COLUMN, 0.9 * columns + 0.6)
    cell = (width - 0.6) / columns
    figure = new_figure(width, (cell + (0.16 if sheet.captions else 0.04)) * rows + 0.2)
    grid = figure.subplots(rows, columns, squeeze=False)
    for row, pictures in enumerate(sheet.pictures):
        for column, picture in enumerate(pictures):
            axis = grid[row][column]
            if picture is not None:
                axis.imshow(picture, interpolation="none")
            axis.set(xticks=[], yticks=[])
            for spine in axis.spines.values():
                spine.set_visible(False)
            if sheet.captions:
                axis.set_xlabel(plain_text(sheet.captions[row][column]), labelpad=1.5, fontsize=6.5)
            if row == 0:
                axis.set_title(plain_text(sheet.columns[column]), pad=2.5)
        side: dict[str, Any] = {"rotation": 0, "ha": "right", "va": "center"}
        grid[row][0].set_ylabel(plain_text(sheet.rows[row]), **side)
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)
    return figure
