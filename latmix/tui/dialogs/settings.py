"""The settings of inverting and generating, all on one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from latmix.images import FITS
from latmix.sampling.settings import GenerationSettings, InversionSettings
from latmix.sampling.solvers import SOLVERS
from latmix.session.choices import Choices
from latmix.tui.dialogs.dialog import Dialog


@dataclass(frozen=True)
class Setting:
    """A line of the form; `options` where only these values are possible, `empty` is what nothing
    written stands for."""

    name: str
    label: str
    sentence: str
    options: tuple[str, ...] = ()
    empty: str = ""


SETTINGS = (
    Setting("steps", "steps", "Of a result, both ways. Other steps mean other latents."),
    Setting("guidance", "guidance", "While generating; empty is what suits the model.",
            empty="as suits the model"),
    Setting("draft_steps", "draft steps", "Of drafts: comparisons, sweeps, and after every edit."),
    Setting("solver", "solver", "How pictures are inverted.", tuple(SOLVERS)),
    Setting("inversion_guidance", "inversion guidance",
            "While inverting; 1 keeps latents close to noise."),
    Setting("size", "size", "Of pictures in pixels: 512 or 768x512; empty is the model's.",
            empty="the model's"),
    Setting("fit", "fit", "How a picture is brought to that size.", tuple(FITS)),
    Setting("negative", "negative prompt", "What pictures shall not show; empty is nothing.",
            empty="nothing"),
)  # fmt: skip


def parse_settings(written: dict[str, str]) -> dict[str, Any]:
    """The values of a filled-in form: fields of `Choices`, and `draft_steps`.

    Raises:
        ValueError: one cannot be used; the sentence names it.
    """
    values: dict[str, Any] = {name: text.strip() for name, text in written.items()}
    for name, kind, what in (
        ("steps", int, "a whole number"),
        ("draft_steps", int, "a whole number"),
        ("inversion_guidance", float, "a number"),
        ("guidance", float, "a number, or empty"),
    ):
        if name == "guidance" and not values[name]:
            values[name] = None
            continue
        try:
            values[name] = kind(values[name])
        except ValueError:
            label = name.replace("_", " ")
            raise ValueError(f"{label} must be {what}, not {values[name]!r}.") from None
    values["size"] = parse_size(values["size"])
    if values["draft_steps"] < 1:
        raise ValueError(f"draft steps must be at least 1, not {values['draft_steps']}.")
    InversionSettings(
        values["size"] or (64, 64),
        values["fit"],
        values["steps"],
        values["inversion_guidance"],
        values["solver"],
        values["negative"],
    )
    GenerationSettings(values["guidance"] or 0.0, values["steps"], values["negative"])
    return values


def parse_size(text: str) -> tuple[int, int] | None:
    """Width and height of "512" or "768x512"; None of nothing.

    Raises:
        ValueError: it is neither.
    """
    if not text:
        return None
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isascii() and side.isdigit() for side in sides):
        raise ValueError(f"size must be 512 or 768x512, not {text!r}.")
    return int(sides[0]), int(sides[-1])


class OneOf(Static, can_focus=True):
    """One of a few words: left and right change it."""

    BINDINGS = [
        Binding("right,l,space", "turn(1)", "Next", show=False, id="settings.next",
                tooltip="The next value."),
        Binding("left,h", "turn(-1)", "Previous", show=False, id="settings.previous",
                tooltip="The previous value."),
        Binding("enter", "submit", "Take", show=False, id="settings.submit",
                tooltip="Take the settings."),
    ]  # fmt: skip

    class Submitted(Message):
        """Enter was pressed."""

    class Turned(Message):
        """Another word is chosen."""

        def __init__(self, one_of: OneOf) -> None:
            super().__init__()
            self.one_of = one_of

    def __init__(self, options: Sequence[str], value: str, name: str) -> None:
        super().__init__(name=name, classes="one-of")
        self._options = options
        self.value = value

    def action_turn(self, by: int) -> None:
        at = self._options.index(self.value) if self.value in self._options else -by
        self.value = self._options[(at + by) % len(self._options)]
        self.refresh()
        self.post_message(self.Turned(self))

    def action_submit(self) -> None:
        self.post_message(self.Submitted())

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
        Binding("down", "go(1)", "Down", show=False, id="settings.down", tooltip="The next one."),
        Binding("up", "go(-1)", "Up", show=False, id="settings.up", tooltip="The one before."),
    ]

    def __init__(self, choices: Choices, draft_steps: int, focus: str = "steps") -> None:
        """focus: the setting to begin at."""
        super().__init__()
        size = "x".join(map(str, choices.size)) if choices.size else ""
        held = vars(choices) | {"draft_steps": draft_steps, "size": size}
        self._values = {s.name: _text(held[s.name]) for s in SETTINGS}
        self._begin = focus

    def contents(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            for setting in SETTINGS:
                value = self._values[setting.name]
                with Horizontal(classes="setting"):
                    yield Static(setting.label, classes="setting-label", markup=False)
                    if setting.options:
                        yield OneOf(setting.options, value, setting.name)
                    else:
                        yield Input(value, setting.empty, name=setting.name, compact=True)
        yield Static("", id="setting-words", markup=False)
        yield Static("", classes="dialog-error", markup=False)

    @property
    def fields(self) -> list[Input | OneOf]:
        return [
            widget
            for row in self.query(".setting")
            for widget in row.children
            if isinstance(widget, Input | OneOf)
        ]

    def begin(self) -> None:
        next(field for field in self.fields if field.name == self._begin).focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._explain(event.widget)

    def on_one_of_turned(self, event: OneOf.Turned) -> None:
        self._explain(event.one_of)

    def _explain(self, field: Widget) -> None:
        if not self.is_current:
            return
        words = next((s.sentence for s in SETTINGS if s.name == field.name), "")
        if isinstance(field, OneOf) and field.name == "solver" and field.value in SOLVERS:
            words = SOLVERS[field.value].sentence
        self.query_one("#setting-words", Static).update(Text(words, style="dim"))

    def action_go(self, by: int) -> None:
        self.focus_next() if by > 0 else self.focus_previous()

    def on_input_submitted(self) -> None:
        self._take()

    def on_one_of_submitted(self) -> None:
        self._take()

    def _take(self) -> None:
        try:
            values = parse_settings({str(field.name): field.value for field in self.fields})
        except ValueError as error:
            self.query_one(".dialog-error", Static).update(Text(f"! {error}"))
        else:
            self.dismiss(values)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
