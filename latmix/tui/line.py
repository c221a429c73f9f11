"""A line of text as several parts of the screen have one."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class Line(Static):
    """Cut where there is no room; written anew only when it says something else, since a slow link
    has to carry it."""

    _shown: Text | None = None

    def show_line(self, text: str, style: str = "") -> None:
        self.show_text(Text(text, style))

    def show_text(self, text: Text) -> None:
        """The same in several styles."""
        if text != self._shown:
            self._shown = text
            text.no_wrap, text.overflow = True, "ellipsis"
            self.update(text, layout=False)
