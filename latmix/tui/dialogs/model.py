"""The models: which are on this machine, and what fetching another would cost."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from latmix.jobs.screen.choosing import ModelChoice
from latmix.names import display_name
from latmix.tui.dialogs.dialog import error_line
from latmix.tui.dialogs.lists import ListDialog
from latmix.tui.keys.binding import key, up_and_down


class ModelDialog(ListDialog[str]):
    """Hands back a model's name; one that is not here is never fetched, its command is copied."""

    TITLE_TEXT = "Model"
    KEYS_TEXT = "enter takes it   y copies the command that fetches it   esc leaves"
    BINDINGS = [
        *up_and_down("model", "focused.cursor"),
        key("model.copy", "y", "copy", "Copy", "Copy the command that fetches the model."),
    ]

    def __init__(self, current: str) -> None:
        """The choices come later, by `show_choices`."""
        super().__init__(classes="wide")
        self._current = current
        self.choices: tuple[ModelChoice, ...] = ()

    def contents(self) -> ComposeResult:
        yield OptionList(markup=False, id="models")
        yield Static("looking…", id="model-words", markup=False)
        yield Static(Text("or a folder in diffusers format, or a hub id:", style="dim"))
        yield Input(placeholder="/path/to/model, owner/name", compact=True, id="model-name")
        yield error_line()

    def show_choices(self, choices: tuple[ModelChoice, ...]) -> None:
        """What was found."""
        if not self.is_attached:
            return
        self.choices = choices
        options = self.query_one(OptionList)
        options.clear_options()
        width = max(len(choice.name) for choice in choices)
        for at, choice in enumerate(choices):
            mark = "*" if choice.name == self._current else " "
            here = "here" if choice.is_here else "    "
            line = Text(f"{mark}{choice.name.ljust(width)}  {here}  {choice.note}")
            options.add_option(Option(line, id=str(at)))
        names = [choice.name for choice in choices]
        options.highlighted = names.index(self._current) if self._current in names else 0

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        choice = self.choices[event.option_index]
        words = Text(f"{choice.note}\nlicence: {choice.licence}")
        if choice.pixels:
            words.append(f"   pictures of {choice.pixels} x {choice.pixels} pixels")
        if choice.fault:
            words.append(f"\n! {choice.fault}")
        elif not choice.is_here:
            words.append(f"\nNot on this machine; {choice.pull_command} fetches it.")
        self.query_one("#model-words", Static).update(words)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        choice = self.choices[event.option_index]
        if choice.is_here:
            self.dismiss(choice.name)
        else:
            self.action_copy()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(event.value.strip())

    def action_copy(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is None or self.choices[at].is_here:
            self.app.bell()
            return
        command = self.choices[at].pull_command
        self.app.copy_to_clipboard(command)
        said = f"{display_name(command)} is copied: run it in a shell, then choose the model here."
        self.say(said)
