"""The lines around the list: its columns above it, the words it is filtered by, counts below it."""

from __future__ import annotations

import math

from rich.text import Text
from textual.widgets import Static

from latmix.session.session import Session
from latmix.tui.listing.arrangement import Arrangement
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


def status_text(session: Session, arrangement: Arrangement) -> str:
    """What there is to say, the most important first."""
    parts = []
    if (mixture := session.mixture) is not None:
        parts.append(f"{len(mixture):,} in · Σ {math.fsum(mixture.weights):.3f}")
        if mixture.pinned:
            held = math.fsum(mixture.weight(key) for key in mixture.pinned)
            parts.append(f"{len(mixture.pinned):,} pinned {held:.3f}")
    if arrangement.marked:
        parts.append(f"{len(arrangement.marked):,} marked")
    if arrangement.words.strip():
        parts.append(f"{len(arrangement.passing):,} of {len(session.pictures):,} shown")
    if session.failures:
        parts.append(f"{len(session.failures):,} ✗ (F)")
    if bookmarks := session.bookmarks.of(session.folder):
        parts.append(f"{len(bookmarks)} bookmarked")
    return " · ".join(parts)


class ListStatus(Static):
    """Counts."""

    _said = ""

    def __init__(self) -> None:
        super().__init__(id="list-status", markup=False)

    def show(self, session: Session, arrangement: Arrangement) -> None:
        text = status_text(session, arrangement)
        if text != self._said:
            self._said = text
            self.update(Text(text, style="dim", no_wrap=True, overflow="ellipsis"), layout=False)
