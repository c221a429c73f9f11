"""Which pictures the list shows and in which order: filter, order, folders, and what is marked.

Knows no widget. The order by weight follows the weights as they are edited.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from latmix.session.arranged import Arranged
from latmix.session.session import Session

Values = Mapping[str, float]
"""Numbers by picture; those without one come last."""


@dataclass(frozen=True)
class Heading:
    """A folder's line above its pictures."""

    folder: Path
    count: int
    is_folded: bool


Row = Path | Heading


def _weights(session: Session) -> Values | None:
    return session.mixture.as_dict() if session.mixture else None


def _norms(session: Session) -> Values | None:
    """|z| / √L of the pictures that are inverted."""
    inversion, live = session.inversion, session.latents.live
    if inversion is None or live is None:
        return None
    length = math.prod(inversion.space.shape)
    squares = live.summary.squared_norm.tolist()
    return {
        str(row.path): math.sqrt(square / length)
        for row, square in zip(inversion.rows, squares, strict=True)
    }


def _influences(session: Session) -> Values | None:
    """How far the mixture moves without each picture; where the statistics tell it at once."""
    if session.latents.live is None or not session.latents.live.is_instant:
        return None
    return session.latents.influences() or None


ORDERS: dict[str, Callable[[Session], Values | None]] = {
    "name": lambda session: None,
    "weight": _weights,
    "norm": _norms,
    "influence": _influences,
}
"""Ways to order pictures, largest first; a function gives None while it knows nothing."""


@dataclass
class Arrangement:
    """The rows of the list.

    Attributes:
        words: all of them must be in a picture's path below the folder, in any case of letters.
        order: a key of `ORDERS`.
        is_grouped: whether each folder's pictures stand under its heading.
        folded: folders whose pictures are hidden.
        marked: pictures that the next action is for.
        rows: what is shown.
        values: the numbers that the order is by, empty where it is by name or weight.
        passing: pictures that pass the filter, those of folded folders included.
    """

    words: str = ""
    order: str = "name"
    is_grouped: bool = False
    folded: set[Path] = field(default_factory=set)
    marked: set[str] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)
    values: Values = field(default_factory=dict)
    passing: list[Path] = field(default_factory=list)
    _index: dict[Path, int] = field(default_factory=dict)

    def arrange(self, session: Session) -> None:
        """Make the rows anew."""
        known = ORDERS[self.order](session) or {}
        self.values = {} if self.order == "weight" else known
        self.passing = _filtered(session, self.words)
        if known:
            self.passing.sort(key=lambda path: -known.get(str(path), -math.inf))
        self.rows = self._grouped(self.passing) if self.is_grouped else list(self.passing)
        self._index = {
            row.folder if isinstance(row, Heading) else row: at for at, row in enumerate(self.rows)
        }

    def follow(self, session: Session) -> bool:
        """Bring the rows up to date after an edit; returns whether they changed."""
        if self.order == "name":
            return False
        before = self.rows
        self.arrange(session)
        return self.rows != before

    def take_up(self, kept: Arranged, session: Session) -> None:
        """Show the list as it was shown before, as far as its pictures are still there."""
        self.order = kept.order if kept.order in ORDERS else "name"
        self.is_grouped = kept.is_grouped
        self.folded = set(map(Path, kept.folded))
        self.marked = {str(path) for path in session.pictures} & set(kept.marked)

    def kept(self) -> Arranged:
        """What `take_up` takes."""
        folded = tuple(sorted(map(str, self.folded)))
        return Arranged(self.order, self.is_grouped, folded, tuple(sorted(self.marked)))

    def forget(self) -> None:
        """Begin anew on another folder's pictures; the order stays."""
        self.words = ""
        self.folded.clear()
        self.marked.clear()

    def next_order(self, session: Session) -> str:
        """Take the next way to order that something is known for; returns its name."""
        names = list(ORDERS)
        at = names.index(self.order)
        others = names[at + 1 :] + names[: at + 1]
        self.order = next(name for name in others if name == "name" or ORDERS[name](session))
        return self.order

    def find(self, row: Row | None) -> int | None:
        """Where a row is; of a picture in a folded folder, its heading. None for neither."""
        if isinstance(row, Heading):
            return self._index.get(row.folder)
        return self._index.get(row, self._index.get(row.parent)) if row is not None else None

    def mark(self, *paths: Path) -> None:
        """Mark these pictures, or no longer if all of them are."""
        keys = {str(path) for path in paths}
        self.marked = self.marked - keys if keys <= self.marked else self.marked | keys

    def _grouped(self, paths: list[Path]) -> list[Row]:
        groups: dict[str, list[Path]] = {}
        for path in paths:
            groups.setdefault(str(path).rpartition(os.sep)[0], []).append(path)
        rows: list[Row] = []
        for name, members in groups.items():
            folder = Path(name)
            is_folded = folder in self.folded
            rows.append(Heading(folder, len(members), is_folded))
            rows += [] if is_folded else members
        return rows


def _filtered(session: Session, words: str) -> list[Path]:
    wanted = words.casefold().split()
    if not wanted:
        return list(session.pictures)
    # The folder's own name is in every path: looking there would find all.
    skipped = len(str(session.folder)) + 1 if session.folder else 0
    found = []
    for path in session.pictures:
        name = str(path)[skipped:].casefold()
        if all(word in name for word in wanted):
            found.append(path)
    return found
