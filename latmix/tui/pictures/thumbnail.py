"""Pictures in half-blocks: two pixels a cell, in any terminal, over ssh and in tmux.

Where there are no colours, one character a cell by brightness.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from PIL import Image
from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip
from textual.widget import Widget

SHADES = " .:-=+*#%@"


def fitted_size(size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """Columns and half-rows of the largest picture of this shape in `columns` x `rows` cells.

    A half-block is about as wide as it is high, so the shape is kept.
    """
    scale = min(columns / size[0], 2 * rows / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def half_blocks(image: Image.Image, columns: int, rows: int, base: Style) -> list[Strip]:
    """The picture in `rows` strips of `columns` cells, centred."""
    width, height = fitted_size(image.size, columns, rows)
    small = image.convert("RGB").resize((width, height), Image.Resampling.BOX)
    pixels = small.tobytes()

    def row(y: int) -> Iterator[bytes]:
        first = 3 * y * width
        return (pixels[at : at + 3] for at in range(first, first + 3 * width, 3))

    def cells(y: int) -> Iterator[Segment]:
        if y + 1 < height:
            return map(_cell, row(y), row(y + 1))
        return (Segment("▀", base + Style.from_color(_color(above))) for above in row(y))

    return _centred([list(cells(y)) for y in range(0, height, 2)], width, columns, rows, base)


@lru_cache(maxsize=1 << 14)
def _cell(above: bytes, below: bytes) -> Segment:
    """Two pixels. Many in a picture are alike, and a style takes longer to make than to find."""
    return Segment("▀", Style.from_color(_color(above), _color(below)))


def _color(pixel: bytes) -> Color:
    # As Color.from_rgb makes it, but without a name, which nobody reads.
    return Color("", ColorType.TRUECOLOR, None, ColorTriplet(*pixel))


def shades(image: Image.Image, columns: int, rows: int, base: Style) -> list[Strip]:
    """The picture as characters by brightness, dark to light."""
    width, height = fitted_size(image.size, columns, rows)
    lines = max(1, height // 2)
    grey = image.convert("L").resize((width, lines), Image.Resampling.BOX).tobytes()
    text = "".join(SHADES[value * len(SHADES) // 256] for value in grey)
    rows_of_text = [[Segment(text[y * width : (y + 1) * width], base)] for y in range(lines)]
    return _centred(rows_of_text, width, columns, rows, base)


def _centred(
    lines: list[list[Segment]], width: int, columns: int, rows: int, base: Style
) -> list[Strip]:
    left = Segment(" " * ((columns - width) // 2), base)
    above = (rows - len(lines)) // 2
    strips = [Strip.blank(columns, base)] * above
    for line in lines:
        # Cells of one look are written as one: plain grounds cost a slow link nothing.
        strips.append(Strip([left, *line]).adjust_cell_length(columns, base).simplify())
    return strips + [Strip.blank(columns, base)] * (rows - len(strips))


class Thumbnail(Widget):
    """A picture, or a text where there is none."""

    def __init__(self) -> None:
        super().__init__(id="thumbnail")
        self.image: Image.Image | None = None
        self.text = Text()
        self._strips: list[Strip] = []
        self._drawn_for: tuple[int, int] | None = None

    def show(self, image: Image.Image | None, text: Text) -> None:
        """Show the picture, or the text where it is None."""
        if image is self.image and text == self.text:
            return
        self.image, self.text = image, text
        self._drawn_for = None
        self._prepare()  # now, since the paint is long enough
        self.refresh()

    def notify_style_update(self) -> None:
        self._drawn_for = None
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        self._prepare()
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, self.rich_style)

    def _prepare(self) -> None:
        size = (self.size.width, self.size.height)
        if self._drawn_for != size:
            self._drawn_for = size
            self._strips = self._draw(*size)

    def _draw(self, columns: int, rows: int) -> list[Strip]:
        if columns < 1 or rows < 1:
            return []
        base = self.rich_style
        if self.image is not None:
            draw = shades if self.app.no_color else half_blocks
            return draw(self.image, columns, rows, base)
        console = self.app.console
        lines = console.render_lines(self.text, console.options.update_width(columns), style=base)
        return _centred([list(line) for line in lines[:rows]], columns, columns, rows, base)
