"""The line that says which keys there are: a click on a key is that key."""

from __future__ import annotations

import re

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

KEYS = {"enter": "enter", "esc": "escape", "space": "space", "tab": "tab", "backspace": "backspace"}
KEYS |= {letter: letter for letter in "mry"}
"""Words that such a line begins a part with, and the keys they are."""

PART = re.compile(r"\S+(?: \S+)*")


class KeysLine(Static):
    """Parts such as `enter takes it`, three spaces between them."""

    def __init__(self, text: str, name: str) -> None:
        """name: of its style, as a class."""
        super().__init__(linked(text), classes=name)

    def action_press(self, key: str) -> None:
        self.app.simulate_key(key)


def linked(text: str) -> Text:
    """The text, with its keys to be clicked."""
    line = Text(text, style="dim")
    for part in PART.finditer(text):
        key = KEYS.get(part[0].split(" ")[0])
        if key is not None:
            line.stylize(Style(meta={"@click": f"press('{key}')"}), *part.span())
    return line
