"""Something longer to read: an error with what to do about it, or the command to copy."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text
from textual.widgets import Static

from latmix.tui.dialogs.dialog import ReadingDialog
from latmix.tui.keys.binding import key


class NoticeDialog(ReadingDialog):
    """A title and a text that can be copied."""

    KEYS_TEXT = "y copies   any of esc, enter, q closes"
    BINDINGS = [
        key("notice.leave", "enter,q,space", "leave", "Close", "Close."),
        key("notice.copy", "y", "copy", "Copy", "Copy the text."),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.TITLE_TEXT = title
        self.text = text

    def parts(self) -> Iterable[RenderableType]:
        yield Text(self.text, overflow="fold")

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.text)
        self.query_one(".dialog-keys", Static).update(Text("copied", style="dim"))
