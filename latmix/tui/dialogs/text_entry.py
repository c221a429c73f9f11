"""Dialogs with one line to type: how many pictures, where to export to, which file."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Input, Static

from latmix.names import display_name, plural
from latmix.tui.dialogs.dialog import Answer, Dialog, error_line


class LineDialog(Dialog[Answer]):
    """A sentence and a line to write."""

    def __init__(self, sentence: str, line: Input) -> None:
        super().__init__()
        self._sentence, self._input = sentence, line

    @abstractmethod
    def read(self, text: str) -> Answer:
        """The answer of what is written; a ValueError says why there is none."""

    def contents(self) -> ComposeResult:
        yield Static(Text(self._sentence))
        yield self._input
        yield error_line()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            answer = self.read(event.value.strip())
        except ValueError as error:
            self.say(error)
        else:
            self.dismiss(answer)


class CountDialog(LineDialog[int]):
    """How many pictures to mix."""

    TITLE_TEXT = "How many pictures?"

    def __init__(self, count: int, most: int) -> None:
        sentence = f"The first N of {plural(most, 'picture')}, with equal weights."
        line = Input(str(count), type="integer", max_length=7, select_on_focus=True)
        super().__init__(sentence, line)
        self._most = most

    def read(self, text: str) -> int:
        count = int(text) if text.isdigit() else 0
        if not 1 <= count <= self._most:
            raise ValueError(f"N must be from 1 to {self._most:,}.")
        return count


class ExportDialog(LineDialog[str]):
    """Where results are copied to."""

    TITLE_TEXT = "Export"
    KEYS_TEXT = "enter copies   esc leaves"

    def __init__(self, count: int, folder: str) -> None:
        what = plural(count, "result")
        sentence = f"{what} into this folder, recipes and all; nothing is written over."
        line = Input(folder, placeholder="a folder", select_on_focus=False)
        super().__init__(sentence, line)

    def read(self, text: str) -> str:
        if not text:
            raise ValueError("Name a folder.")
        return text


class FileDialog(LineDialog[Path]):
    """A file to read or to write; `~` is the home folder."""

    def __init__(self, title: str, sentence: str, path: str, is_for_writing: bool) -> None:
        super().__init__(sentence, Input(path, select_on_focus=False))
        self.TITLE_TEXT = title
        self._is_for_writing = is_for_writing
        self._asked: Path | None = None

    def read(self, text: str) -> Path:
        if not text:
            raise ValueError("Type the name of a file.")
        path = Path(text).expanduser().absolute()
        if path.is_dir():
            raise ValueError(f"{display_name(path)} is a folder: add a file's name.")
        if not self._is_for_writing and not path.exists():
            raise ValueError(f"There is no file {display_name(path)}.")
        if self._is_for_writing and path.exists() and path != self._asked:
            self._asked = path
            name = display_name(path.name)
            raise ValueError(f"{name} is there already: enter again replaces it.")
        return path
