"""The left of the screen: the list of pictures, its header, the words it is filtered by, counts."""

from __future__ import annotations

import math

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from latmix.session.session import Session
from latmix.tui.line import Line
from latmix.tui.listing.arrangement import Arrangement
from latmix.tui.listing.picture_list import PictureList


class PictureColumn(Vertical):
    """Keeps the lines around the list as the list is."""

    def __init__(self, session: Session, pictures: PictureList) -> None:
        super().__init__(id="left")
        self._session, self._pictures = session, pictures
        # The list takes the keys that are typed here, so that none of them goes astray.
        self._filter = Line(id="filter")
        self._filter.display = False
        self._status = Line(id="list-status")

    def compose(self) -> ComposeResult:
        yield self._pictures.header
        yield self._filter
        yield self._pictures
        yield self._status

    def show(self) -> None:
        """Draw the session anew."""
        self._pictures.show_session()
        self.on_list_changed()

    def on_list_changed(self) -> None:
        """The words that names must have, and the counts."""
        arrangement, is_typed = self._pictures.arrangement, self._pictures.is_filtering
        self._filter.display = is_typed or bool(arrangement.words.strip())
        self._filter.show_text(filter_text(arrangement.words, is_typed))
        self._status.show_line(status_text(self._session, arrangement), "dim")


def filter_text(words: str, is_typed: bool) -> Text:
    """What the list is filtered by, and which keys that ends with."""
    text = Text(f"/ {words}", style="bold")
    text.append("▏" if is_typed else "", style="not bold")
    return text.append("  enter keeps, esc clears" if is_typed else "  esc clears", style="dim")


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
