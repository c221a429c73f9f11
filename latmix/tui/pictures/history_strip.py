"""The results in a row, newest first: small pictures, the one looked at between bars.

Draws what the session says, and posts which result was chosen.
"""

from __future__ import annotations

from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from latmix.jobs.engine import Engine
from latmix.session.session import Session
from latmix.tui.keys.binding import key
from latmix.tui.messages import ResultChosen
from latmix.tui.pictures.small_pictures import SmallPictures

SIDE = 48
"""Pixels of a small picture: two for each half-block of the tallest."""

MARK = "+"


class HistoryStrip(Widget, can_focus=True):
    """A row of the newest results; scrolls with the one that is looked at."""

    HELP = (
        "The results, newest first. Left and right look at another, space marks it, enter goes "
        "back to what it was made from, and w returns to the pictures."
    )
    BINDINGS = [
        key("strip.newer", "left,h", "app.command('result.newer')", "Newer",
            "The result made after this one."),
        key("strip.older", "right,l", "app.command('result.older')", "Older",
            "The result made before this one."),
        key("strip.newest", "home", "look(0)", "Newest", "The newest result."),
        key("strip.oldest", "end", "look(-1)", "Oldest", "The oldest result."),
        key("strip.mark", "space", "app.command('result.mark')", "Mark",
            "Mark the result, or unmark it."),
        key("strip.restore", "enter", "app.command('result.restore')", "Back to it",
            "Back to the pictures, weights and settings it was made from."),
    ]  # fmt: skip

    def __init__(self, session: Session, engine: Engine) -> None:
        """engine: reads the small pictures."""
        super().__init__(id="strip")
        self._session = session
        self.small = SmallPictures(self, engine, SIDE, self.refresh)
        self._first = 0
        self._looks: tuple[object, ...] = ()
        self.tooltip = "The results, newest first: < and > look at another, w moves here."

    @property
    def newest_first(self) -> list[Path]:
        return self._session.results[::-1]

    @property
    def cell_width(self) -> int:
        """Columns of one picture with the bar before it."""
        return 2 * self.size.height + 1

    @property
    def room(self) -> int:
        """How many results fit."""
        return max(1, (self.size.width - 1) // self.cell_width) if self.size.height else 1

    def show(self) -> None:
        """Draw the session's results anew; hidden while there are none."""
        self.display = bool(self._session.results)
        self._follow()
        self._want()
        session = self._session
        looks = (tuple(self._in_sight()), session.shown, tuple(session.marked), self.size)
        if looks != self._looks:
            self._looks = looks
            self.refresh()

    def notify_style_update(self) -> None:
        self.small.forget_drawn()
        super().notify_style_update()

    def on_resize(self) -> None:
        self.show()

    def action_look(self, at: int) -> None:
        """Choose the first result of the row, or the last (-1)."""
        if self._session.results:
            self.post_message(ResultChosen(self.newest_first[at]))

    def on_click(self, event: events.Click) -> None:
        at = self._first + event.x // self.cell_width
        if at < len(self._session.results):
            self.post_message(ResultChosen(self.newest_first[at]))

    def on_mouse_scroll_down(self) -> None:
        self._scroll(1)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-1)

    def _scroll(self, by: int) -> None:
        most = max(0, len(self._session.results) - self.room)
        self._first = max(0, min(most, self._first + by))
        self._want()
        self.refresh()

    def _follow(self) -> None:
        """Keep the one that is looked at in sight."""
        results = self.newest_first
        at = results.index(self._session.shown) if self._session.shown in results else 0
        self._first = max(
            at - self.room + 1, min(self._first, at, max(0, len(results) - self.room))
        )

    def _in_sight(self) -> list[Path]:
        return self.newest_first[self._first : self._first + self.room]

    def _want(self) -> None:
        if self.is_mounted:
            self.small.want(self._in_sight())

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        line: list[Segment] = []
        after = False
        for path in self._in_sight():
            is_shown = path == self._session.shown
            line.append(self._bar(path, y, is_shown, after, base))
            line += self._picture(path, base)[y]
            after = is_shown
        line.append(Segment("▐" if after else " ", base + self._edge()))
        return Strip(line).adjust_cell_length(self.size.width, base)

    def _bar(self, path: Path, y: int, is_shown: bool, after: bool, base: Style) -> Segment:
        """The column before a picture: the frame of the one looked at, and the mark."""
        if y == 0 and path in self._session.marked:
            return Segment(MARK, base + Style(bold=True, reverse=is_shown))
        sign = "▌" if is_shown else ("▐" if after else " ")
        return Segment(sign, base + self._edge())

    def _edge(self) -> Style:
        return Style(bold=True, reverse=False, dim=not self.has_focus)

    def _picture(self, path: Path, base: Style) -> list[Strip]:
        columns, rows = self.cell_width - 1, self.size.height
        if (drawn := self.small.drawn(path, columns, rows, base)) is not None:
            return drawn
        sign = "✗" if path in self.small.read else "…"
        middle, blank = Strip([Segment(sign.center(columns), base)]), Strip.blank(columns, base)
        return [middle if y == rows // 2 else blank for y in range(rows)]
