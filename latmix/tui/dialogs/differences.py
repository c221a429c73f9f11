"""What differs between two results, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from latmix.names import display_name
from latmix.report import difference_table
from latmix.results.differences import Difference
from latmix.tui.dialogs.dialog import ReadingDialog
from latmix.tui.keys.binding import key, up_and_down


class DifferencesDialog(ReadingDialog):
    """Scrolls; y copies the command that prints the same."""

    TITLE_TEXT = "What differs"
    KEYS_TEXT = "↑ ↓ scroll   y copies the command   esc or d closes"
    BINDINGS = [
        key("differences.leave", "d,q,enter", "leave", "Close", "Close."),
        key("differences.copy", "y", "copy", "Copy", "Copy the command that prints this table."),
        *up_and_down("differences", "scroll", "line "),
    ]

    def __init__(self, left: Path, right: Path, differences: tuple[Difference, ...]) -> None:
        super().__init__(classes="wide")
        self._left, self._right, self._differences = left, right, differences

    def parts(self) -> Iterable[RenderableType]:
        left, right = self._left.name, self._right.name
        if self._differences:
            yield difference_table(self._differences, left, right)
        else:
            same = f"{display_name(left)} and {display_name(right)} have the same recipe."
            yield Text(same)

    def action_copy(self) -> None:
        from latmix.session.shell import shell_command

        paths = [str(self._left), str(self._right)]
        self.app.copy_to_clipboard(shell_command(["latmix", "diff", *paths]))
        self.notify("The command is copied.", markup=False)
