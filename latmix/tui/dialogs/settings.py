"""The settings of inverting and generating, all on one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static

from latmix.session.choices import Choices
from latmix.session.fields import form_rows
from latmix.session.session import Session
from latmix.tui.dialogs.dialog import Dialog, error_line
from latmix.tui.keys.binding import key

LINES = form_rows(Choices, Session)


def parse_settings(written: dict[str, str]) -> dict[str, Any]:
    """The values of a filled-in form: for `Session.choose`.

    Raises:
        ValueError: one cannot be used; the sentence names it.
    """
    values = {row.name: row.parse(written[row.name].strip()) for row, _ in LINES}
    Choices(**{f.name: values[f.name] for f in fields(Choices) if f.name in values}).check()
    return values


class WordChoice(Static, can_focus=True):
    """One of a few words: left and right change it."""

    BINDINGS = [
        key("settings.next", "right,l,space", "turn(1)", "Next", "The next value."),
        key("settings.previous", "left,h", "turn(-1)", "Previous", "The previous value."),
        key("settings.submit", "enter", "screen.take", "Take", "Take the settings."),
    ]

    class Turned(Message):
        """Another word is chosen."""

    def __init__(self, options: Sequence[str], value: str, name: str) -> None:
        super().__init__(name=name, classes="word-choice")
        self._options = options
        self.value = value

    def action_turn(self, by: int) -> None:
        at = self._options.index(self.value) if self.value in self._options else -by
        self.value = self._options[(at + by) % len(self._options)]
        self.refresh()
        self.post_message(self.Turned())

    def on_click(self) -> None:
        self.action_turn(1)

    def render(self) -> Text:
        style = "reverse" if self.has_focus else ""
        return Text(f"‹ {self.value} ›", style=style)


class SettingsDialog(Dialog[dict[str, Any]]):
    """The form; hands back what was written, or None."""

    TITLE_TEXT = "Settings"
    KEYS_TEXT = "↑ ↓ move   ← → choose   enter takes all   esc leaves"
    BINDINGS = [
        key("settings.down", "down", "go(1)", "Down", "The next one."),
        key("settings.up", "up", "go(-1)", "Up", "The one before."),
    ]

    def __init__(self, session: Session, focus: str = "steps") -> None:
        """focus: the setting to begin at."""
        super().__init__()
        held = vars(session.choices) | vars(session)
        self._values = {row.name: row.text(held[row.name]).removesuffix(".0") for row, _ in LINES}
        self._begin = focus

    def contents(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            for row, line in LINES:
                value, words = self._values[row.name], tuple(row.kind.sentences)
                with Horizontal(classes="setting"):
                    yield Static(row.label, classes="setting-label", markup=False)
                    if words:
                        yield WordChoice(words, value, row.name)
                    else:
                        yield Input(value, line.empty, name=row.name, compact=True)
        yield Static("", id="setting-words", markup=False)
        yield error_line()

    @property
    def fields(self) -> list[Input | WordChoice]:
        return [widget for widget in self.query("*") if isinstance(widget, Input | WordChoice)]

    def begin(self) -> None:
        next(field for field in self.fields if field.name == self._begin).focus()

    def on_descendant_focus(self) -> None:
        self._explain()

    def on_word_choice_turned(self) -> None:
        self._explain()

    def _explain(self) -> None:
        """What the setting in focus is."""
        field = self.focused
        if field is None or not self.is_current:
            return
        row, line = next(pair for pair in LINES if pair[0].name == field.name)
        words = (
            isinstance(field, WordChoice) and row.kind.sentences.get(field.value)
        ) or line.sentence
        self.query_one("#setting-words", Static).update(Text(words, style="dim"))

    def action_go(self, by: int) -> None:
        self.focus_next() if by > 0 else self.focus_previous()

    def on_input_submitted(self) -> None:
        self.action_take()

    def action_take(self) -> None:
        try:
            values = parse_settings({str(field.name): field.value for field in self.fields})
        except ValueError as error:
            self.say(f"! {error}")
        else:
            self.dismiss(values)
