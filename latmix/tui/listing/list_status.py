"""The line under the list: the sum of the weights, and how many are in, pinned, marked, shown."""

from __future__ import annotations

import math

from rich.text import Text
from textual.widgets import Static

from latmix.session.session import Session
from latmix.tui.listing.arrangement import Arrangement


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
