"""Choose a theme, seen at once."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from latmix.names import display_name
from latmix.tui.dialogs.dialog import ListDialog
from latmix.tui.keys.binding import up_and_down


class ThemeDialog(ListDialog[str]):
    """The name of a theme; leaving brings the old one back."""

    TITLE_TEXT = "Theme"
    BINDINGS = [*up_and_down("theme", "move")]

    def __init__(self, names: list[str], current: str) -> None:
        super().__init__()
        self._names, self._current = names, current

    def contents(self) -> ComposeResult:
        options = [Option(display_name(name), id=str(at)) for at, name in enumerate(self._names)]
        yield OptionList(*options, markup=False)

    def begin(self) -> None:
        choices = self.query_one(OptionList)
        if self._current in self._names:
            choices.highlighted = self._names.index(self._current)
        super().begin()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self.app.theme = self._names[event.option_index]

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[event.option_index])

    def action_leave(self) -> None:
        self.app.theme = self._current
        self.dismiss(None)
