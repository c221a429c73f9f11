"""What dialogs share: a box in the middle with a title; escape leaves it."""

from __future__ import annotations

from typing import TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from latmix.tui.dialogs.behind import Veil
from latmix.tui.keys.binding import key
from latmix.tui.keys.keys_line import KeysLine

Answer = TypeVar("Answer")


class Dialog(Veil[Answer]):
    """A titled box; `contents` fills it, and the last line says which keys there are."""

    BINDINGS = [key("dialog.leave", "escape,ctrl+c", "leave", "Leave", "Close without a change.")]
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
