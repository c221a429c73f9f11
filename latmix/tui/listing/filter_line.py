"""The line that shows the words a picture's name must have, while they are typed and after."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class FilterLine(Static):
    """Hidden while there are none. The list takes the keys, so that none of them goes astray."""

    def __init__(self) -> None:
        super().__init__(id="filter", markup=False)
        self.display = False
        self._shown = ("", False)

    def show(self, words: str, is_typed: bool) -> None:
        if (words, is_typed) == self._shown:
            return
        self._shown = (words, is_typed)
        self.display = is_typed or bool(words.strip())
        text = Text(f"/ {words}", no_wrap=True, overflow="ellipsis", style="bold")
        text.append("▏" if is_typed else "", style="not bold")
        text.append("  enter keeps, esc clears" if is_typed else "  esc clears", style="dim")
        self.update(text, layout=False)
