"""Contact sheets: pictures in a labelled grid, each with a line below it, as a picture.

`sheet_figure` draws the same as a vector figure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from latmix.names import display_name

GAP = 6
"""Pixels between two pictures."""

SMALLEST = 128
"""Pixels that a small picture is enlarged to, by a whole factor."""

INK, FAINT, ALARM = "black", "#666666", "#b00020"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class SheetCell:
    """A picture of the grid.

    Attributes:
        picture: None leaves the place empty.
        caption: a line below it.
        is_alarming: the caption is told in another colour (its words must say so too).
    """

    picture: Image.Image | None
    caption: str = ""
    is_alarming: bool = False


@dataclass(frozen=True)
class Sheet:
    """A grid to draw.

    Attributes:
        columns: labels, left to right.
        rows: labels, top to bottom, each with its cells.
        title, note: a line above and a line below; empty for none.
    """

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[SheetCell]]]
    title: str = ""
    note: str = ""

    @property
    def pictures(self) -> list[Image.Image]:
        return [cell.picture for _, cells in self.rows for cell in cells if cell.picture]

    @property
    def is_captioned(self) -> bool:
        return any(cell.caption for _, cells in self.rows for cell in cells)


def plain_sheet(
    columns: Sequence[str], names: Sequence[str], rows: Sequence[Sequence[Image.Image]]
) -> Sheet:
    """Pictures alone, small ones enlarged, with the names of their rows."""
    cells = [[SheetCell(enlarged(picture)) for picture in row] for row in rows]
    return Sheet(columns, list(zip(names, cells, strict=True)))


def enlarged(picture: Image.Image) -> Image.Image:
    """The picture, by whole pixels at least `SMALLEST` wide."""
    factor = -(-SMALLEST // picture.width)
    size = (picture.width * factor, picture.height * factor)
    return picture if factor == 1 else picture.resize(size, Image.Resampling.NEAREST)


def fitted(picture: Image.Image, side: int) -> Image.Image:
    """The whole picture, as large as fits into a square of `side` pixels."""
    factor = side / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    way = Image.Resampling.NEAREST if factor >= 2 else Image.Resampling.LANCZOS
    return picture.resize(size, way)


def draw_sheet(sheet: Sheet) -> Image.Image:
    """The sheet on white, every picture at its own size."""
    place = _Layout(sheet)
    canvas = Image.new("RGB", place.size, "white")
    pen = ImageDraw.Draw(canvas)
    pen.text((GAP, GAP), plain(sheet.title), FAINT, place.small)
    pen.text((GAP, canvas.height - GAP), plain(sheet.note), FAINT, place.small, "ls")
    for column, label in enumerate(sheet.columns):
        x, y = place.corner(0, column)
        pen.text((x + place.width // 2, y - GAP), plain(label), INK, place.large, "ms")
    for row, (label, cells) in enumerate(sheet.rows):
        _, y = place.corner(row, 0)
        pen.text((GAP, y + place.height // 2), plain(label), INK, place.large, "lm")
        for column, cell in enumerate(cells):
            x, y = place.corner(row, column)
            if cell.picture is not None:
                across, down = place.width - cell.picture.width, place.height - cell.picture.height
                canvas.paste(cell.picture, (x + across // 2, y + down // 2))
            colour = ALARM if cell.is_alarming else FAINT
            at = (x + place.width // 2, y + place.height + 2)
            pen.text(at, plain(cell.caption), colour, place.small, "ma")
    return canvas


class _Layout:
    """Where things stand on a sheet: boxes as large as its largest picture."""

    def __init__(self, sheet: Sheet) -> None:
        self.width = max((picture.width for picture in sheet.pictures), default=SMALLEST)
        self.height = max((picture.height for picture in sheet.pictures), default=SMALLEST)
        self.small = ImageFont.load_default(max(10, self.width // 11))
        self.large = ImageFont.load_default(max(12, self.width // 9))
        small, large = _line_height(self.small), _line_height(self.large)
        labels = (self.large.getlength(plain(label)) for label, _ in sheet.rows)
        self._left = 2 * GAP + math.ceil(max(labels, default=0))
        self._top = GAP + (small + GAP if sheet.title else 0) + large + GAP
        self._below = small if sheet.is_captioned else 0
        texts = (self.small.getlength(plain(text)) for text in (sheet.title, sheet.note))
        right, bottom = self.corner(len(sheet.rows), len(sheet.columns))
        foot = small + GAP if sheet.note else 0
        self.size = max(right, 2 * GAP + math.ceil(max(texts))), bottom + foot

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """The upper left corner of a picture's box."""
        step = self.height + self._below + (2 * GAP if self._below else GAP)
        return self._left + column * (self.width + GAP), self._top + row * step


def plain(text: str) -> str:
    """Text as the sheet's font can draw it: what it has no letters for is an escape."""
    return display_name(text).encode("ascii", "backslashreplace").decode()


def _line_height(font: Font) -> int:
    return math.ceil(font.getbbox("Ny|")[3]) + 2
