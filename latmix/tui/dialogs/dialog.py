"""What dialogs share: a box in the middle with a title; escape leaves it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rich.console import RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static

from latmix.tui.dialogs.behind import Veil
from latmix.tui.dialogs.sheet import Sheet
from latmix.tui.keys.binding import key
from latmix.tui.keys.keys_line import KeysLine

Answer = TypeVar("Answer")


class Dialog(Veil[Answer]):
    """A titled box; `contents` fills it, and the last line says which keys there are."""

    BINDINGS = [
        key("dialog.leave", "escape,ctrl+c", "leave", "Leave", "Close without a change."),
    ]
    TITLE_TEXT = ""
    KEYS_TEXT = "enter takes it   esc leaves"

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = self.TITLE_TEXT
            yield from self.contents()
            yield KeysLine(self.KEYS_TEXT, "dialog-keys")

    def contents(self) -> ComposeResult:
        """What is in the box."""
        yield from ()

    async def on_mount(self) -> None:
        # An escape that is typed at once may have closed it before it was there.
        if self.is_current:
            self.begin()
            await self.darken()

    def begin(self) -> None:
        """Called once the box is filled: the focus goes where it should be."""

    def say(self, sentence: object) -> None:
        """What is wrong, on the line that `error_line` made."""
        if self.is_attached:
            self.query_one(".dialog-error", Static).update(Text(str(sentence)))

    def action_leave(self) -> None:
        self.dismiss(None)


def error_line() -> Static:
    """Empty as long as nothing is wrong."""
    return Static("", classes="dialog-error", markup=False)


class ListDialog(Dialog[Answer]):
    """One of a list is taken; j and k move too (`up_and_down`)."""

    def begin(self) -> None:
        self.query_one(OptionList).focus()

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if by > 0 else options.action_cursor_up()


class ReadingDialog(Dialog[None]):
    """Something to read, that scrolls (`up_and_down`)."""

    def contents(self) -> ComposeResult:
        yield Sheet(*self.parts())

    def parts(self) -> Iterable[RenderableType]:
        """What there is to read."""
        return ()

    def begin(self) -> None:
        self.query_one(Sheet).focus()

    def action_scroll(self, by: int) -> None:
        self.query_one(Sheet).scroll_relative(y=by, animate=False)
