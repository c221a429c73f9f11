"""Dialogs with something longer to read: a notice, what differs, all of the mixture's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from latmix.mixing.verdict import SOUND
from latmix.names import display_name
from latmix.report import (
    channel_table,
    difference_table,
    picture_sentence,
    picture_table,
    statistics_table,
)
from latmix.results.differences import Difference
from latmix.session.shell import shell_command
from latmix.tui.dialogs.dialog import Dialog
from latmix.tui.dialogs.sheet import Sheet
from latmix.tui.keys.binding import key, up_and_down
from latmix.tui.numbers.bias_chart import bias_chart

if TYPE_CHECKING:
    from latmix.mixing.influence import Inputs
    from latmix.mixing.statistics import Statistics

CHART_COLUMNS = 48

NARROW = 70
"""Columns of a terminal below which bars are half as long."""


class ReadingDialog(Dialog[None]):
    """Renderables, one below the other, that scroll (`up_and_down`)."""

    def __init__(self, *parts: RenderableType, classes: str = "wide") -> None:
        super().__init__(classes=classes)
        self._parts = parts

    def contents(self) -> ComposeResult:
        yield Sheet(*self._parts)

    def begin(self) -> None:
        self.query_one(Sheet).focus()


class NoticeDialog(ReadingDialog):
    """An error with what to do about it, or a command: a text that can be copied."""

    KEYS_TEXT = "y copies   any of esc, enter, q closes"
    BINDINGS = [
        key("notice.leave", "enter,q,space", "leave", "Close", "Close."),
        key("notice.copy", "y", "copy", "Copy", "Copy the text."),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__(Text(text, overflow="fold"), classes="")
        self.TITLE_TEXT, self.text = title, text

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.text)
        self.query_one(".dialog-keys", Static).update(Text("copied", style="dim"))


class DifferencesDialog(ReadingDialog):
    """What differs between two results; y copies the command that prints the same."""

    TITLE_TEXT = "What differs"
    KEYS_TEXT = "↑ ↓ scroll   y copies the command   esc or d closes"
    BINDINGS = [
        key("differences.leave", "d,q,enter", "leave", "Close", "Close."),
        key("differences.copy", "y", "copy", "Copy", "Copy the command that prints this table."),
        *up_and_down("differences", "focused.scroll", "line "),
    ]

    def __init__(self, left: Path, right: Path, differences: tuple[Difference, ...]) -> None:
        same = f"{display_name(left.name)} and {display_name(right.name)} have the same recipe."
        super().__init__(
            difference_table(differences, left.name, right.name) if differences else Text(same)
        )
        self._command = shell_command(["latmix", "diff", str(left), str(right)])

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._command)
        self.notify("The command is copied.", markup=False)


class NumbersDialog(ReadingDialog):
    """What the panel of the mixture's numbers has no room for."""

    TITLE_TEXT = "Numbers of the mixture"
    KEYS_TEXT = "↑ ↓ pgup pgdn scroll   esc or V closes"
    BINDINGS = [
        key("numbers.leave", "V,q,enter", "leave", "Close", "Close."),
        *up_and_down("numbers", "focused.scroll", "line "),
    ]

    def __init__(
        self,
        found: Statistics,
        method: str,
        paths: Sequence[Path] = (),
        weights: Sequence[float] = (),
        inputs: Inputs | None = None,
    ) -> None:
        """paths, weights: of the pictures in the order of `inputs`, where those are known."""
        parts: list[RenderableType] = [
            Text(found.warning or SOUND, style="bold"),
            statistics_table(found, method),
            Text(),
            channel_table(found, 10 if self.app.size.width >= NARROW else 5),
            Text(),
            Text("\n".join(bias_chart(found, CHART_COLUMNS))),
        ]
        if inputs is not None:
            names = list(map(str, paths))
            parts += [Text(), Text(picture_sentence(names, inputs))]
            parts.append(picture_table(names, weights, inputs))
        super().__init__(*parts)
