"""What is seen behind a dialog: the screen below it, darkened.

Textual renders all of that for each of the three paints that open a dialog, and for each change
below. Here it is rendered once, and only lines that changed are darkened again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self, TypeVar

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip

Answer = TypeVar("Answer")


class Veil(ModalScreen[Answer]):
    """A screen through which the one below is seen, in the colour of its own background."""

    _below: list[Strip] | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._veiled: dict[int, Strip] = {}

    def render_line(self, y: int) -> Strip:
        if self._below is None or len(self._below) != self.size.height:
            stack = self.app.screen_stack
            at = stack.index(self) if self in stack else 0
            self._below = stack[at - 1]._compositor.render_strips() if at else []
        if y not in self._veiled:
            below = self._below[y] if y < len(self._below) else Strip.blank(self.size.width)
            veil = self.styles.background
            self._veiled[y] = Strip([_veiled(segment, veil) for segment in below])
        return self._veiled[y]

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Paint again; `regions` are those that changed below."""
        if regions:
            self._below = None
            for y in {y for region in regions for y in region.line_range}:
                self._veiled.pop(y, None)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def on_resize(self) -> None:
        self._forget()

    def notify_style_update(self) -> None:
        self._forget()
        super().notify_style_update()

    def _forget(self) -> None:
        self._below = None
        self._veiled.clear()


def _veiled(segment: Segment, veil: Color) -> Segment:
    return Segment(segment.text, _veiled_style(segment.style or Style.null(), veil))


@lru_cache(maxsize=1 << 13)
def _veiled_style(style: Style, veil: Color) -> Style:
    """Without links, which are not for the mouse now."""
    plain = style.clear_meta_and_links()
    if veil.a == 0:
        return plain
    return plain + Style.from_color(_mixed(style.color, veil), _mixed(style.bgcolor, veil))


def _mixed(color: RichColor | None, veil: Color) -> RichColor | None:
    return None if color is None else (Color.from_rich_color(color) + veil).rich_color
