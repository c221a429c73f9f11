"""Contact sheets: pictures in a grid, each with its caption."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

CELL = 128
LINE = 14


def contact_sheet(
    pictures: Sequence[Image.Image], labels: Sequence[str], columns: int
) -> Image.Image:
    """The pictures, row by row, at CELL pixels with a line of text below each."""
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * CELL, rows * (CELL + LINE)), "white")
    pen = ImageDraw.Draw(sheet)
    for place, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        x, y = place % columns * CELL, place // columns * (CELL + LINE)
        inner = (CELL - 4, CELL - 4)
        sheet.paste(picture.resize(inner, Image.Resampling.BICUBIC), (x + 2, y + 2))
        pen.text((x + 3, y + CELL - 1), label[:24], fill="black")
    return sheet
