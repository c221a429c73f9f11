"""Contact sheets: pictures in a labelled grid, each with a line of numbers below it."""

from __future__ import annotations

import math
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
    """The sheet with every picture at most `side` pixels wide and high.

    Raises:
        PictureError: a picture cannot be read.
    """
    pictures = {
        cell.path: _inside(read_picture(cell.path), side)
        for _, cells in sheet.rows
        for cell in cells
        if cell.path is not None
    }
    place = _Layout(sheet, side, max((p.height for p in pictures.values()), default=side))
    canvas = Image.new("RGB", place.size, "white")
    pen = ImageDraw.Draw(canvas)
    pen.text((GAP, GAP), sheet.title, font=place.small, fill=FAINT)
    pen.text((GAP, canvas.height - GAP), sheet.note, font=place.small, fill=FAINT, anchor="ls")
    for column, label in enumerate(sheet.columns):
        x, y = place.corner(0, column)
        pen.text((x + side // 2, y - GAP), label, font=place.large, fill=INK, anchor="ms")
    for row, (label, cells) in enumerate(sheet.rows):
        _, y = place.corner(row, 0)
        pen.text((GAP, y + place.height // 2), label, font=place.large, fill=INK, anchor="lm")
        for column, cell in enumerate(cells):
            x, y = place.corner(row, column)
            if cell.path is not None:
                picture = pictures[cell.path]
                across, down = side - picture.width, place.height - picture.height
                canvas.paste(picture, (x + across // 2, y + down // 2))
            colour = ALARM if cell.is_alarming else FAINT
            at = (x + side // 2, y + place.height + 2)
            pen.text(at, cell.caption, font=place.small, fill=colour, anchor="ma")
    return canvas


class _Layout:
    """Where things stand on a sheet of pictures in boxes of `side` by `height` pixels."""

    def __init__(self, sheet: Sheet, side: int, height: int) -> None:
        self.side, self.height = side, height
        self.small = ImageFont.load_default(max(10, side // 11))
        self.large = ImageFont.load_default(max(12, side // 9))
        self._line = _line_height(self.small)
        labels = (self.large.getlength(label) for label, _ in sheet.rows)
        self._left = 2 * GAP + math.ceil(max(labels, default=0))
        self._top = GAP + self._line + GAP + _line_height(self.large) + GAP
        texts = (self.small.getlength(text) for text in (sheet.title, sheet.note))
        right, bottom = self.corner(len(sheet.rows), len(sheet.columns))
        self.size = max(right, 2 * GAP + math.ceil(max(texts))), bottom + self._line + GAP

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """The upper left corner of a picture's box."""
        step = self.height + self._line + 2 * GAP
        return self._left + column * (self.side + GAP), self._top + row * step


def plain(text: str) -> str:
    """Text as the sheet's font can draw it: what it has no letters for is an escape."""
    return display_name(text).encode("ascii", "backslashreplace").decode()


def _inside(picture: Image.Image, side: int) -> Image.Image:
    """The whole picture, as large as fits; small pictures are enlarged by whole pixels."""
    factor = side / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    way = Image.Resampling.NEAREST if factor >= 2 else Image.Resampling.LANCZOS
    return picture.resize(size, way)


def _line_height(font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    return math.ceil(font.getbbox("Ny|")[3]) + 2
