"""What differs between two results, as a table."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding

from latmix.names import display_name
from latmix.report import difference_table
from latmix.results.differences import Difference
from latmix.tui.dialogs.dialog import Dialog
from latmix.tui.dialogs.sheet import Sheet


class DifferencesDialog(Dialog[None]):
    """Scrolls; y copies the command that prints the same."""

    TITLE_TEXT = "What differs"
    KEYS_TEXT = "↑ ↓ scroll   y copies the command   esc or d closes"
    BINDINGS = [
        Binding("d,q,enter", "leave", "Close", show=False, id="differences.leave",
                tooltip="Close."),
        Binding("y", "copy", "Copy", show=False, id="differences.copy",
                tooltip="Copy the command that prints this table."),
        Binding("j", "scroll(1)", "Down", show=False, id="differences.down",
                tooltip="One line down."),
        Binding("k", "scroll(-1)", "Up", show=False, id="differences.up", tooltip="One line up."),
    ]  # fmt: skip

    def __init__(self, left: Path, right: Path, differences: tuple[Difference, ...]) -> None:
        super().__init__(classes="wide")
        self._left, self._right, self._differences = left, right, differences

    def contents(self) -> ComposeResult:
        left, right = self._left.name, self._right.name
        if self._differences:
            yield Sheet(difference_table(self._differences, left, right))
        else:
            same = f"{display_name(left)} and {display_name(right)} have the same recipe."
            yield Sheet(Text(same))

    def begin(self) -> None:
        self.query_one(Sheet).focus()

    def action_scroll(self, by: int) -> None:
        self.query_one(Sheet).scroll_relative(y=by, animate=False)

    def action_copy(self) -> None:
        from latmix.session.shell import shell_command

        paths = [str(self._left), str(self._right)]
        self.app.copy_to_clipboard(shell_command(["latmix", "diff", *paths]))
        self.notify("The command is copied.", markup=False)
