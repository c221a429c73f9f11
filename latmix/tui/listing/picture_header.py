"""The line above the list of pictures: what its columns are, and what it is ordered by."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from latmix.tui.listing.picture_rows import HEAD_CELLS, VALUE_CELLS, Columns


class PictureHeader(Static):
    """The line above the list; an arrow says what it is ordered by."""

    columns = Columns(0)
    order = "name"

    def show(self, columns: Columns, order: str) -> None:
        if (columns, order) != (self.columns, self.order):
            self.columns, self.order = columns, order
            self.refresh()

    def render(self) -> Text:
        columns = self.columns
        by_name = "picture ↓" if self.order == "name" else "picture"
        words = " " * (columns.head + HEAD_CELLS) + by_name.ljust(columns.name + 1)
        words = words[: columns.head + HEAD_CELLS + columns.name + 1]
        if columns.value:
            words += f"{self.order[: VALUE_CELLS - 1]}↓".rjust(VALUE_CELLS) + " "
        words += "weight ↓" if self.order == "weight" else "weight"
        return Text(words, style="dim", no_wrap=True, overflow="ellipsis")
