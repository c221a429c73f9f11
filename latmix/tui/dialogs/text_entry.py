"""Dialogs with one line to type: how many pictures, and where to export to."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Input, Static

from latmix.names import plural
from latmix.tui.dialogs.dialog import Dialog


class CountDialog(Dialog[int]):
    """How many pictures to mix."""

    TITLE_TEXT = "How many pictures?"

    def __init__(self, count: int, most: int) -> None:
        super().__init__()
        self._count, self._most = count, most

    def contents(self) -> ComposeResult:
        yield Static(Text(f"The first N of {plural(self._most, 'picture')}, with equal weights."))
        yield Input(str(self._count), type="integer", max_length=7, select_on_focus=True)
        yield Static("", classes="dialog-error", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        count = int(event.value) if event.value.isdigit() else 0
        if 1 <= count <= self._most:
            self.dismiss(count)
        else:
            sentence = f"N must be from 1 to {self._most:,}."
            self.query_one(".dialog-error", Static).update(Text(sentence))


class ExportDialog(Dialog[str]):
    """Where results are copied to."""

    TITLE_TEXT = "Export"
    KEYS_TEXT = "enter copies   esc leaves"

    def __init__(self, count: int, folder: str) -> None:
        super().__init__()
        self._count, self._folder = count, folder

    def contents(self) -> ComposeResult:
        what = plural(self._count, "result")
        yield Static(Text(f"{what} into this folder, recipes and all; nothing is written over."))
        yield Input(self._folder, placeholder="a folder", select_on_focus=False)
        yield Static("", classes="dialog-error", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(event.value.strip())
        else:
            self.query_one(".dialog-error", Static).update(Text("Name a folder."))
