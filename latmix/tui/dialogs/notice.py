"""Something longer to read: an error with what to do about it, or the command to copy."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from latmix.tui.dialogs.dialog import Dialog
from latmix.tui.dialogs.sheet import Sheet


class NoticeDialog(Dialog[None]):
    """A title and a text that can be copied."""

    KEYS_TEXT = "y copies   any of esc, enter, q closes"
    BINDINGS = [
        Binding("enter,q,space", "leave", "Close", show=False, id="notice.leave",
                tooltip="Close."),
        Binding("y", "copy", "Copy", show=False, id="notice.copy", tooltip="Copy the text."),
    ]  # fmt: skip

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.TITLE_TEXT = title
        self.text = text

    def contents(self) -> ComposeResult:
        yield Sheet(Text(self.text, overflow="fold"))

    def begin(self) -> None:
        self.query_one(Sheet).focus()

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.text)
        self.query_one(".dialog-keys", Static).update(Text("copied", style="dim"))
