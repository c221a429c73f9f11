"""The list of pictures with their weights as bars: a virtual list, 10,000 rows open at once.

Only the lines in sight are drawn, and only pictures in sight are read for tall rows. Keys and mouse
do the same things.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from latmix.session import Session
from latmix.tui.arrangement import ORDERS, Arrangement, Heading, Row
from latmix.tui.messages import BarPulled, CursorMoved, FilterChanged, SignsClicked, TilesWanted
from latmix.tui.picture_rows import (
    HEAD_CELLS,
    MARKS,
    VALUE_CELLS,
    Columns,
    Cursor,
    RowPainter,
    RowStyles,
)

__all__ = ["MARKS", "PictureHeader", "PictureList", "parse_weight"]

TYPED = {digit: digit for digit in "123456789"} | {"full_stop": ".", "percent_sign": "%"}
"""Keys that type a weight; 0 mutes unless one is being typed."""

LOW, HIGH = 1, 4
"""Lines of a row without and with a small picture."""

HIGH_FROM = (140, 45)
"""Columns and rows of a terminal in which small pictures are shown unasked."""


def parse_weight(text: str) -> float | None:
    """A typed weight: a share such as .3, or a percentage such as 30 or 0.5%; None for neither."""
    number = text.removesuffix("%")
    try:
        value = float(number)
    except ValueError:
        return None
    value = value / 100 if value > 1 or number != text else value
    return value if 0 <= value <= 1 else None


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


class PictureList(ScrollView, can_focus=True):
    """Renders the session's pictures and the weight being typed; posts where the cursor is."""

    HELP = (
        "The pictures of the folder. Those with a bar are in the mixture; the keys act on the one "
        "under the cursor, > and in reverse."
    )
    COMPONENT_CLASSES = {"pictures--bar", "pictures--out", "pictures--failed"}
    BINDINGS = [
        Binding("down,j", "move(1)", "Down", show=False, id="list.down", tooltip="One down."),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up", tooltip="One up."),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down",
                tooltip="One page down."),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up",
                tooltip="One page up."),
        Binding("home", "move_to(0)", "First", show=False, id="list.first",
                tooltip="The first picture."),
        Binding("end", "move_to(-1)", "Last", show=False, id="list.last",
                tooltip="The last picture."),
        Binding("tab", "next_mixed(1)", "Next of the mixture", show=False, id="list.next_mixed",
                tooltip="The next picture of the mixture."),
        Binding("shift+tab", "next_mixed(-1)", "Previous of the mixture", show=False,
                id="list.previous_mixed", tooltip="The previous picture of the mixture."),
        Binding("backspace", "erase", "Erase", show=False, id="list.erase",
                tooltip="Take back the last character of the weight."),
        # As bindings and not as key events: those would overtake the bindings pressed before them.
        *(Binding(key, f"type('{sign}')", f"Type {sign}", show=False, id=f"list.type_{key}",
                  tooltip="Type a weight for the picture under the cursor.")
          for key, sign in TYPED.items()),
    ]  # fmt: skip

    def __init__(self, session: Session, clear: Callable[[], bool]) -> None:
        """Renders a session.

        Args:
            clear: clears marks or the filter; False where there are none.
        """
        super().__init__(id="pictures")
        self._clear = clear
        self._session = session
        self.arrangement = Arrangement()
        self._painter = RowPainter(session, self.arrangement)
        self._is_high: bool | None = None
        self._pulled: Path | None = None
        self._rested: Row | None = None
        self.cursor = 0
        self.entry: str | None = None
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
        self.refresh()

    def show_folder(self) -> None:
        """Take up the session's pictures, from the first."""
        self.is_filtering, self._rested = False, None
        self.arrangement.forget()
        self.arrangement.arrange(self._session)
        self.cursor, self.entry = 0, None
        self._measure()
        self._follow()
        self.show_session()
        self._want_tiles()

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
        self._painter.forget_drawn()
        super().notify_style_update()

    # Small pictures

    def toggle_height(self) -> bool:
        """Show small pictures beside the names, or no longer; returns whether they are shown."""
        self._is_high = self._painter.lines == LOW
        self._choose_height()
        self.show_session()
        self._follow()
        self._want_tiles()
        return self._painter.lines > LOW

    def take_tile(self, path: Path, image: Image.Image | None) -> None:
        """A small picture that was wanted; None where it cannot be read."""
        self._painter.take_tile(path, image)
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._want_tiles()

    def _choose_height(self) -> None:
        columns, rows = HIGH_FROM
        has_room = self.app.size.width >= columns and self.app.size.height >= rows
        lines = HIGH if (has_room if self._is_high is None else self._is_high) else LOW
        if lines != self._painter.lines:
            self._painter.lines = lines
            self._painter.is_plain = self.app.no_color
            self._measure()

    def _want_tiles(self) -> None:
        """Ask for the small pictures of the rows in sight."""
        lines = self._painter.lines
        if lines == LOW:
            return
        first = self.scroll_offset.y // lines
        rows = self.arrangement.rows[first : first + self.size.height // lines + 2]
        wanted = [row for row in rows if isinstance(row, Path)]
        self.post_message(TilesWanted(tuple(p for p in wanted if p not in self._painter.tiles)))

    # Drawing

    def _show_header(self) -> None:
        if self.is_mounted:
            header = self.screen.query(PictureHeader)
            if header:
                header.first().show(self.columns, self.arrangement.order)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        index, line = divmod(y + self.scroll_offset.y, self._painter.lines)
        base = self.rich_style
        rows = self.arrangement.rows
        if not 0 <= index < len(rows):
            return Strip.blank(width, base)
        styles = RowStyles(
            base,
            base + self.get_component_rich_style("pictures--bar", partial=True),
            self.get_component_rich_style("pictures--out", partial=True),
            self.get_component_rich_style("pictures--failed", partial=True),
        )
        cursor = Cursor(self.entry) if index == self.cursor else None
        return self._painter.paint(rows[index], line, width, styles, cursor)

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
        self.refresh()
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

    # Typing words to filter by

    def start_filter(self) -> None:
        """Take keys as words until enter or escape."""
        self._rested = self.row or self._rested
        self.is_filtering = True
        self.entry = None
        self.filter(self.arrangement.words)

    def filter(self, words: str) -> None:
        """Show only the pictures that have these words in their path."""
        if words != self.arrangement.words:
            self.arrangement.words = words
            self.rearrange()
        self.post_message(FilterChanged())

    def on_key(self, event: events.Key) -> None:
        """What must not wait for the keys' bindings: words that are typed, and how they begin.

        The letters of a word that is typed fast would else be taken for commands.
        """
        taken = self._take_filter_key(event) if self.is_filtering else self._begin_or_clear(event)
        if taken:
            event.stop()
            event.prevent_default()

    def _begin_or_clear(self, event: events.Key) -> bool:
        if event.key == "escape":
            # A job or a typed weight is left first.
            return not self.app.check_action("cancel_job", ()) and self._clear()
        bound = self.screen.active_bindings.get(event.key)
        if bound is None or bound.binding.action != "filter":
            return False
        self.start_filter()
        return True

    def _take_filter_key(self, event: events.Key) -> bool:
        words = self.arrangement.words
        if event.is_printable and event.character:
            self.filter(words + event.character)
        elif event.key == "backspace":
            self.filter(words[:-1])
        elif event.key in ("escape", "ctrl+c", "ctrl+u"):
            self.filter("")
            self.is_filtering = event.key == "ctrl+u"
        else:
            self.is_filtering = False
            self.post_message(FilterChanged())
            return event.key == "enter"
        return True

    def on_paste(self, event: events.Paste) -> None:
        if self.is_filtering:
            event.stop()
            self.filter(self.arrangement.words + " ".join(event.text.split()))

    # The mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        index = (event.y + self.scroll_offset.y) // self._painter.lines
        if self.is_filtering:
            self.is_filtering = False
            self.post_message(FilterChanged())
        if event.button != 1 or not 0 <= index < len(self.arrangement.rows):
            return
        self._put_cursor(index)
        path = self.current
        share = self.columns.share_at(event.x)
        if path is None:
            self.post_message(SignsClicked(False))
        elif event.ctrl or self.columns.is_on_signs(event.x):
            self.post_message(SignsClicked(event.ctrl))
        elif share is not None and str(path) not in self._session.failures:
            self._pulled = path
            self.capture_mouse()
            self._pull(event.x, True)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._pulled is not None:
            self._pull(event.x, False)

    def on_mouse_up(self) -> None:
        if self._pulled is not None:
            self._pulled = None
            self.release_mouse()

    def _pull(self, x: int, is_first: bool) -> None:
        """Set the weight to where the mouse is; right of the bars is more than the largest."""
        if is_first:
            self._pull_scale = self._painter.largest or 1.0
        share = self.columns.share_at(x)
        weight = 0.0 if share is None else min(1.0, share * self._pull_scale)
        if self._pulled is not None:
            self.post_message(BarPulled(self._pulled, round(weight, 3), is_first))

    # Typing a weight

    def start_entry(self, text: str = "") -> None:
        """Begin to type a weight for the picture under the cursor."""
        if self.current is not None:
            self.entry = text
            self.refresh()

    def action_type(self, character: str) -> None:
        """Add a character to the weight; the first one begins it."""
        if self.entry is None:
            if character == "%":
                return
            self.start_entry()
        if self.entry is not None:
            self.entry = (self.entry + character)[:6]
            self.refresh()

    def action_erase(self) -> None:
        if self.entry is not None:
            self.entry = self.entry[:-1]
            self.refresh()

    def end_entry(self) -> float | None:
        """Stop typing; the weight, or None where what was typed is none."""
        text, self.entry = self.entry or "", None
        self.refresh()
        return parse_weight(text)

    def is_heading(self) -> bool:
        """Whether the cursor is on a folder's heading."""
        return isinstance(self.row, Heading)
