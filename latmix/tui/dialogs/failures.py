"""Pictures that could not be used, each with its reason, to be tried again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Group
from rich.padding import Padding
from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from latmix.names import display_name
from latmix.tui.dialogs.dialog import ListDialog
from latmix.tui.keys.binding import key, up_and_down


class FailuresDialog(ListDialog[list[str]]):
    """Answers with the pictures to try again, by key."""

    TITLE_TEXT = "Left out"
    KEYS_TEXT = "enter tries this one again   r all of them   esc leaves"
    BINDINGS = [
        key("failures.retry_all", "r", "retry_all", "Try all again", "Try all of them again."),
        *up_and_down("failures", "move"),
    ]

    def __init__(self, failures: Mapping[str, str]) -> None:
        super().__init__(classes="wide")
        self._failures = failures

    def contents(self) -> ComposeResult:
        yield OptionList(*(Option(_shown(key, why)) for key, why in self._failures.items()))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss([list(self._failures)[event.option_index]])

    def action_retry_all(self) -> None:
        self.dismiss(list(self._failures))


def _shown(key: str, why: str) -> Group:
    # The reason begins with the whole path, for those who have no list above it.
    said = why.removeprefix(display_name(key)).removeprefix(":").strip()
    name = Text(f"✗ {display_name(Path(key).name)}", style="bold")
    return Group(name, Padding(Text(said), (0, 0, 0, 2)))
