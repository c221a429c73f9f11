"""The list of pictures as it is drawn: rows, cursor, small pictures; keys are for a layer above.

A virtual list, 10,000 rows open at once: only the lines in sight are drawn, only pictures in sight
are read for tall rows, and only lines that changed are written to the terminal again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from latmix.jobs.engine import Engine
from latmix.session.session import Session
from latmix.tui.line import Line
from latmix.tui.listing.arrangement import ORDERS, Arrangement, Row
from latmix.tui.listing.picture_rows import Columns, Cursor, RowPainter, RowStyles, header_text
from latmix.tui.messages import CursorMoved
from latmix.tui.pictures.small_pictures import SmallPictures

LOW, HIGH = 1, 4
"""Lines of a row without and with a small picture."""

TILE_SIDE = 24
"""Pixels of a small picture: three for each half-block of a row of four lines."""

HIGH_FROM = (140, 45)
"""Columns and rows of a terminal in which small pictures are shown unasked."""


class PictureView(ScrollView, can_focus=True):
    """Renders the session's pictures and the weight being typed; posts where the cursor is."""

    COMPONENT_CLASSES = {"pictures--bar", "pictures--out", "pictures--failed"}

    def __init__(self, session: Session, engine: Engine) -> None:
        """engine: reads the small pictures."""
        super().__init__(id="pictures")
        self._session = session
        self.arrangement, self.header = Arrangement(), Line(id="header")
        self.small = SmallPictures(self, engine, TILE_SIDE, self.repaint)
        self._painter = RowPainter(session, self.arrangement, self.small)
        self._painted: dict[int, Strip] = {}
        self._styles: RowStyles | None = None
        self._is_due = False
        self._is_high: bool | None = None
        self._is_taken_up = False
        self._rested: Row | None = None
        self.cursor = 0
        self._entry: str | None = None
        self.is_filtering = False

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        rows = self.arrangement.rows
        return rows[self.cursor] if self.cursor < len(rows) else None

    @property
    def current(self) -> Path | None:
        """The picture under the cursor; None where there is none, or a folder's heading."""
        row = self.row
        return row if isinstance(row, Path) else None

    @property
    def entry(self) -> str | None:
        """The weight that is being typed."""
        return self._entry

    @entry.setter
    def entry(self, text: str | None) -> None:
        is_other = (text is None) != (self._entry is None)
        self._entry = text
        if is_other:
            self.app.refresh_bindings()  # escape leaves it

    @property
    def columns(self) -> Columns:
        return self._painter.columns(self.scrollable_content_region.width)

    def show_session(self) -> None:
        """Draw the mixture anew."""
        row = self.row
        if self.arrangement.follow(self._session):
            self._take_rows(row)
        norms = ORDERS["norm"](self._session) if self._painter.lines > 1 else None
        self._painter.take_session(norms or {})
        self._show_header()
        self.repaint()

    def show_folder(self) -> None:
        """Take up the session's pictures, from the first; the first time, as the session says that
        the list was shown."""
        self.is_filtering, self._rested = False, None
        self.arrangement.forget()
        self.arrangement.arrange(self._session)
        self.cursor, self.entry = 0, None
        self._measure()
        self._follow()
        self.show_session()
        self._want_tiles()
        if not self._is_taken_up:
            self._is_taken_up = True
            self.arrangement.take_up(self._session.arranged, self._session)
            self._is_high = self._session.arranged.is_high
            self._choose_height()
            self.rearrange()
        self.keep()

    def keep(self) -> None:
        """Let the session know how the list is shown."""
        self._session.arranged = replace(self.arrangement.kept(), is_high=self._is_high)

    def rearrange(self) -> None:
        """Make the rows anew, with the cursor where it was if that is still shown."""
        # While words are typed, it is where it was before them, as far as that is shown.
        if not self.is_filtering:
            self._rested = self.row or self._rested
        self.arrangement.arrange(self._session)
        self._take_rows(self._rested)
        self.show_session()

    def _take_rows(self, row: Row | None) -> None:
        self.entry = None
        self._measure()
        self._put_cursor(self.arrangement.find(row) or 0, is_new=self.row != row)

    def _measure(self) -> None:
        # Whether there is a scroll bar, which takes a column, is known after the layout.
        self.call_after_refresh(self._show_header)
        self.virtual_size = Size(0, len(self.arrangement.rows) * self._painter.lines)

    def on_resize(self) -> None:
        self._choose_height()
        self._show_header()
        self._follow()
        self._want_tiles()

    def notify_style_update(self) -> None:
        self.small.forget_drawn()
        self._styles = None
        super().notify_style_update()

    # Small pictures

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._want_tiles()

    def _choose_height(self) -> None:
        columns, rows = HIGH_FROM
        has_room = self.app.size.width >= columns and self.app.size.height >= rows
        lines = HIGH if (has_room if self._is_high is None else self._is_high) else LOW
        if lines != self._painter.lines:
            self._painter.lines = lines
            self._measure()

    def _want_tiles(self) -> None:
        """Have the small pictures of the rows in sight read."""
        lines = self._painter.lines
        if lines == LOW:
            return
        first = self.scroll_offset.y // lines
        rows = self.arrangement.rows[first : first + self.size.height // lines + 2]
        self.small.want(row for row in rows if isinstance(row, Path))

    # Drawing

    def _show_header(self) -> None:
        self.header.show_line(header_text(self.columns, self.arrangement.order), "dim")

    def repaint(self) -> None:
        """Write the lines that look otherwise now, once all that changes them now is done."""
        if not self._is_due:
            self._is_due = True
            self.call_next(self._write_changed)

    def _write_changed(self) -> None:
        """A slow link carries no others."""
        self._is_due = False
        width = self.scrollable_content_region.width
        for y in range(self.size.height):
            if self._line(y) != self._painted.get(y):
                self.refresh(Region(0, y, width, 1))

    def render_line(self, y: int) -> Strip:
        strip = self._painted[y] = self._line(y)
        return strip

    def _line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        index, line = divmod(y + self.scroll_offset.y, self._painter.lines)
        styles = self._styles = self._styles or self._row_styles()
        rows = self.arrangement.rows
        if not 0 <= index < len(rows):
            return Strip.blank(width, styles.base)
        cursor = Cursor(self.entry) if index == self.cursor else None
        return self._painter.paint(rows[index], line, width, styles, cursor)

    def _row_styles(self) -> RowStyles:
        base = self.rich_style
        return RowStyles(
            base,
            base + self.get_component_rich_style("pictures--bar", partial=True),
            self.get_component_rich_style("pictures--out", partial=True),
            self.get_component_rich_style("pictures--failed", partial=True),
        )

    # Moving

    def action_move(self, by: int) -> None:
        self._put_cursor(self.cursor + by)

    def action_page(self, by: int) -> None:
        page = max(1, self.size.height // self._painter.lines - 1)
        self._put_cursor(self.cursor + by * page)

    def action_move_to(self, index: int) -> None:
        self._put_cursor(index if index >= 0 else len(self.arrangement.rows) + index)

    def action_next_mixed(self, by: int) -> None:
        rows = self.arrangement.rows
        for step in range(1, len(rows)):
            index = (self.cursor + by * step) % len(rows)
            if str(rows[index]) in self._painter.weights:
                self._put_cursor(index)
                return

    def go_to(self, path: Path) -> None:
        """Put the cursor on a picture, where that is shown."""
        at = self.arrangement.find(path)
        if at is not None:
            self._put_cursor(at)

    def _put_cursor(self, index: int, is_new: bool = False) -> None:
        index = max(0, min(index, len(self.arrangement.rows) - 1))
        moved = index != self.cursor or is_new
        self.cursor = index
        if moved:
            self.entry = None
        self._follow()
        self.repaint()
        if moved:
            self.post_message(CursorMoved(self.current))

    def _follow(self) -> None:
        """Scroll so that the cursor is in sight."""
        lines = self._painter.lines
        height = self.scrollable_content_region.height
        top, first = self.scroll_offset.y, self.cursor * lines
        if first < top:
            top = first
        elif height and first + lines > top + height:
            top = first + lines - height
        self.scroll_to(y=top, animate=False, immediate=True)
