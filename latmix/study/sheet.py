"""Contact sheets: pictures in a labelled grid, each with a line of numbers below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from latmix.images import read_picture
from latmix.names import display_name

GAP = 6
"""Pixels between two pictures."""

INK, FAINT, ALARM = "black", "#666666", "#b00020"


@dataclass(frozen=True)
class SheetCell:
    """A picture of the grid.

    Attributes:
        path: its file, read when it is drawn; None leaves the place empty.
        caption: a line below it.
        is_alarming: the caption is told in another colour (its words must say so too).
    """

    path: Path | None
    caption: str = ""
    is_alarming: bool = False


@dataclass(frozen=True)
class Sheet:
    """A grid to draw.

    Attributes:
        title, note: a line above and a line below.
        columns: labels, left to right.
        rows: labels, top to bottom, each with its cells.
    """

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[SheetCell]]]


def draw_sheet(sheet: Sheet, side: int) -> Image.Image:
    """The sheet with every picture inside a square of `side` pixels.

    Raises:
        PictureError: a picture cannot be read.
    """
    text = ImageFont.load_default(max(10, side // 11))
    large = ImageFont.load_default(max(12, side // 9))
    line, tall = _height(text), _height(large)
    left = GAP + round(max((large.getlength(name) for name, _ in sheet.rows), default=0)) + GAP
    top, step, below = 2 * (GAP + tall), side + GAP, side + line + 2 * GAP
    width = left + len(sheet.columns) * step
    width = max(width, *(GAP * 2 + round(text.getlength(t)) for t in (sheet.title, sheet.note)))
    height = top + len(sheet.rows) * below + line + GAP
    canvas = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(canvas)
    pen.text((GAP, GAP), sheet.title, font=text, fill=FAINT)
    pen.text((GAP, height - line - GAP // 2), sheet.note, font=text, fill=FAINT)
    for column, label in enumerate(sheet.columns):
        middle = left + column * step + side // 2
        pen.text((middle, top - GAP // 2), label, font=large, fill=INK, anchor="mb")
    for row, (label, cells) in enumerate(sheet.rows):
        y = top + row * below
        pen.text((GAP, y + side // 2), label, font=large, fill=INK, anchor="lm")
        for column, cell in enumerate(cells):
            x = left + column * step
            if cell.path is not None:
                picture = _inside(read_picture(cell.path), side)
                offset = (x + (side - picture.width) // 2, y + (side - picture.height) // 2)
                canvas.paste(picture, offset)
            colour = ALARM if cell.is_alarming else FAINT
            pen.text(
                (x + side // 2, y + side + 2), cell.caption, font=text, fill=colour, anchor="mt"
            )
    return canvas


def plain(text: str) -> str:
    """Text as the sheet's font can draw it: what it has no letters for is an escape."""
    return display_name(text).encode("ascii", "backslashreplace").decode()


def _inside(picture: Image.Image, side: int) -> Image.Image:
    """The whole picture, as large as fits; small pictures are enlarged by whole pixels."""
    factor = side / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    way = Image.Resampling.NEAREST if factor >= 2 else Image.Resampling.LANCZOS
    return picture.resize(size, way)


def _height(font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    return round(font.getbbox("Ny|")[3]) + 2
