"""How a row of the list is drawn: signs, name, weight and bar, with a small picture where rows are
tall. Signs, not colours, carry the meaning; the cursor is drawn in reverse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from latmix.names import display_name, plural
from latmix.report import weight_bar
from latmix.session.session import Session
from latmix.tui.listing.arrangement import Arrangement, Heading, Row
from latmix.tui.pictures.small_pictures import SmallPictures

HEAD_CELLS = 4
WEIGHT_CELLS = 5
VALUE_CELLS = 6
VALUES_FROM = 36
"""Width from which the number that the list is ordered by is shown."""

CURSOR = Style(reverse=True, bold=True)
MARKS = "● in  ○ muted  ✓ inverted  ✗ unreadable  + marked  * pinned"


@dataclass(frozen=True)
class Columns:
    """Where things are in a row of this width, in cells from its left."""

    width: int
    has_value: bool = False
    lines: int = 1

    @property
    def picture(self) -> int:
        """Cells of the small picture, as wide as it is high."""
        return 2 * self.lines if self.lines > 1 else 0

    @property
    def head(self) -> int:
        return self.picture + 1 if self.picture else 0

    @property
    def value(self) -> int:
        """Cells of the number, its space included."""
        return VALUE_CELLS + 1 if self.has_value and self.width >= VALUES_FROM else 0

    @property
    def bar(self) -> int:
        """Cells of the bars."""
        return max(6, min(40, self.width // 3 - 6))

    @property
    def name(self) -> int:
        taken = self.head + HEAD_CELLS + 1 + self.value + WEIGHT_CELLS + 1 + self.bar
        return max(1, self.width - taken - 1)

    @property
    def bar_at(self) -> int:
        return self.head + HEAD_CELLS + self.name + 1 + self.value + WEIGHT_CELLS + 1

    def is_on_signs(self, x: int) -> bool:
        return self.head < x < self.head + HEAD_CELLS - 1

    def share_at(self, x: int) -> float | None:
        """Which share of a full bar ends at this cell; None left of the bars."""
        cell = x - self.bar_at
        return (cell + 1) / self.bar if cell >= 0 else None


def header_text(columns: Columns, order: str) -> str:
    """The line above the rows; an arrow says what they are ordered by."""
    by_name = "picture ↓" if order == "name" else "picture"
    words = " " * (columns.head + HEAD_CELLS) + by_name.ljust(columns.name + 1)
    words = words[: columns.head + HEAD_CELLS + columns.name + 1]
    if columns.value:
        words += f"{order[: VALUE_CELLS - 1]}↓".rjust(VALUE_CELLS) + " "
    return words + ("weight ↓" if order == "weight" else "weight")


@dataclass(frozen=True)
class Cursor:
    """On the row under it, with the weight that is being typed or None."""

    entry: str | None = None


@dataclass(frozen=True)
class RowStyles:
    """The list's own style, and what is added to it."""

    base: Style
    bar: Style
    out: Style
    failed: Style


@dataclass
class RowPainter:
    """Draws rows of a session.

    Attributes:
        lines: that a row is high.
        weights, largest: of the mixture, and the largest of them.
        norms: |z| / √L by picture, for tall rows.
        small: the small pictures of tall rows.
    """

    session: Session
    arrangement: Arrangement
    small: SmallPictures
    lines: int = 1
    weights: Mapping[str, float] = field(default_factory=dict)
    largest: float = 0.0
    pinned: frozenset[str] = frozenset()
    norms: Mapping[str, float] = field(default_factory=dict)

    def columns(self, width: int) -> Columns:
        return Columns(width, bool(self.arrangement.values), self.lines)

    def take_session(self, norms: Mapping[str, float]) -> None:
        """Take up the mixture as it is."""
        mixture = self.session.mixture
        self.weights = mixture.as_dict() if mixture else {}
        self.largest = max(self.weights.values(), default=0.0)
        self.pinned = mixture.pinned if mixture else frozenset()
        self.norms = norms

    def paint(
        self, row: Row, line: int, width: int, styles: RowStyles, cursor: Cursor | None
    ) -> Strip:
        """A line of a row, the first being 0.

        Args:
            cursor: where this row is under it.
        """
        columns = self.columns(width)
        lead: list[Segment] = []
        bar: list[Segment] = []
        if isinstance(row, Heading):
            words = self._heading(row, line, width, styles, cursor is not None)
        elif line:
            lead = self._tile(row, line, columns, styles.base)
            words = self._further(row, line, styles)
        else:
            lead = self._tile(row, line, columns, styles.base)
            words, bar = self._first(row, columns, styles, cursor)
        strip = Strip(words)
        if cursor is not None:
            # The bar keeps its look: in reverse its empty part would seem to be the weight.
            wide = width - columns.head * bool(lead) if not bar else strip.cell_length
            strip = strip.adjust_cell_length(wide, styles.base).apply_style(CURSOR)
        whole = Strip([*lead, *strip, *bar]).adjust_cell_length(width, styles.base)
        return whole.simplify()

    def _heading(
        self, row: Heading, line: int, width: int, styles: RowStyles, is_current: bool
    ) -> list[Segment]:
        if line:
            return [Segment(" ", styles.base)]
        sign = "▸" if row.is_folded else "▾"
        count = f"  {plural(row.count, 'picture')}"
        name = display_name(self._below(row.folder) or row.folder.name, width - 4 - len(count))
        head = f"{'>' if is_current else ' '}{sign} "
        bold = styles.base + Style(bold=True)
        return [Segment(f"{head}{name}", bold), Segment(count, styles.base + styles.out)]

    def _first(
        self, path: Path, columns: Columns, styles: RowStyles, cursor: Cursor | None
    ) -> tuple[list[Segment], list[Segment]]:
        """The words of a picture's first line, and its bar."""
        key, base = str(path), styles.base
        weight, failed = self.weights.get(key), key in self.session.failures
        style = base
        if failed:
            style += styles.failed
        elif weight is None:
            style += styles.out
        name = display_name(self._shown(path), columns.name)
        head = f"{'>' if cursor else ' '}{self._signs(key, weight, failed)}"
        segments = [Segment(head, style), *_padded(name, columns.name, style), Segment(" ", base)]
        if columns.value:
            value = self.arrangement.values.get(key)
            number = f"{value:.3f}" if value is not None else ""
            segments.append(Segment(number.rjust(VALUE_CELLS) + " ", style))
        if cursor and cursor.entry is not None:
            return [*segments, Segment(f"={cursor.entry}▏ enter", base + Style(bold=True))], []
        if failed:
            return [*segments, Segment("unreadable", style)], []
        if weight is None:
            return segments, []
        filled = weight_bar(weight, self.largest, columns.bar)
        pin = "*" if key in self.pinned else " "
        return [*segments, Segment(f"{weight:.3f}{pin}", style)], [Segment(filled, styles.bar)]

    def _further(self, path: Path, line: int, styles: RowStyles) -> list[Segment]:
        """What tall rows say below the name."""
        said = ", ".join(self._state(str(path))) if line == 1 else ""
        return [Segment(" " * HEAD_CELLS + said, styles.base + styles.out)]

    def _state(self, key: str) -> Iterator[str]:
        """What the signs mean, in words."""
        if (weight := self.weights.get(key)) is not None:
            yield "in the mixture" if weight > 0 else "muted"
        if key in self.pinned:
            yield "pinned"
        if key in self.arrangement.marked:
            yield "marked"
        if self.session.latents.is_inverted(key):
            norm = self.norms.get(key)
            yield f"inverted, norm {norm:.3f} √L" if norm is not None else "inverted"

    def _signs(self, key: str, weight: float | None, failed: bool) -> str:
        mixed = " " if weight is None else ("●" if weight > 0 else "○")
        latent = "✗" if failed else ("✓" if self.session.latents.is_inverted(key) else " ")
        return mixed + latent + ("+" if key in self.arrangement.marked else " ")

    def _shown(self, path: Path) -> Path | str:
        """The name below the folder, or with `recursive` the way to it."""
        if self.session.recursive and not self.arrangement.is_grouped:
            return self._below(path) or path.name
        return path.name

    def _below(self, path: Path) -> Path | None:
        folder = self.session.folder
        if folder is None or path == folder or not path.is_relative_to(folder):
            return None
        return path.relative_to(folder)

    def _tile(self, path: Path, line: int, columns: Columns, base: Style) -> list[Segment]:
        """A line of the small picture, with the space after it; nothing where rows are low."""
        if not columns.picture:
            return []
        drawn = self.small.drawn(path, columns.picture, columns.lines, base)
        if drawn is None:
            return [Segment(" " * columns.head, base)]
        return [*drawn[line], Segment(" ", base)]


def _padded(name: str, cells: int, style: Style) -> list[Segment]:
    """The name in exactly `cells` cells, whatever it is made of."""
    return list(Strip([Segment(name, style)]).adjust_cell_length(cells, style))
