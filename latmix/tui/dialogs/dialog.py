"""What all dialogs share: a box in the middle with a title, and escape leaves it."""

from __future__ import annotations

from typing import TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from latmix.tui.dialogs.behind import Veil
from latmix.tui.keys.keys_line import KeysLine

Answer = TypeVar("Answer")


class Dialog(Veil[Answer]):
    """A titled box; `contents` fills it, and the last line says which keys there are."""

    BINDINGS = [
        Binding("escape,ctrl+c", "leave", "Leave", show=False, id="dialog.leave",
                tooltip="Close without a change."),
    ]  # fmt: skip
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

    def action_leave(self) -> None:
        self.dismiss(None)
