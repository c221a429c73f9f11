"""Dialogs that ask for a file: weights to read, or weights and paths to write."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Input, Static

from latmix.names import display_name
from latmix.tui.dialogs.dialog import Dialog


class FileDialog(Dialog[Path]):
    """One path to type; `~` is the home folder."""

    def __init__(self, title: str, sentence: str, path: str, is_for_writing: bool) -> None:
        super().__init__()
        self.TITLE_TEXT = title
        self._sentence, self._path = sentence, path
        self._is_for_writing = is_for_writing
        self._asked: Path | None = None

    def contents(self) -> ComposeResult:
        yield Static(Text(self._sentence))
        yield Input(self._path, select_on_focus=False)
        yield Static("", classes="dialog-error", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not event.value.strip():
            self._say("Type the name of a file.")
            return
        path = Path(event.value.strip()).expanduser().absolute()
        if path.is_dir():
            self._say(f"{display_name(path)} is a folder: add a file's name.")
        elif not self._is_for_writing and not path.exists():
            self._say(f"There is no file {display_name(path)}.")
        elif self._is_for_writing and path.exists() and path != self._asked:
            self._asked = path
            self._say(f"{display_name(path.name)} is there already: enter again replaces it.")
        else:
            self.dismiss(path)

    def _say(self, sentence: str) -> None:
        self.query_one(".dialog-error", Static).update(Text(sentence))
