"""The line in which words are typed that a picture's name must have."""

from __future__ import annotations

from textual.binding import Binding
from textual.widgets import Input

from latmix.tui.messages import FilterChanged


class FilterLine(Input):
    """Shown while it is typed in, and while it holds words."""

    BINDINGS = [
        Binding("escape,ctrl+c", "clear", "Clear", show=False, id="filter.clear",
                tooltip="Show all pictures again."),
        Binding("down,tab", "leave", "To the list", show=False, id="filter.leave",
                tooltip="Back to the list; the filter stays."),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__(id="filter", placeholder="words in the name; esc clears", compact=True)
        self.display = False

    def open(self) -> None:
        """Begin to type."""
        self.display = True
        self.focus()

    def close(self) -> None:
        """Forget the words."""
        self.value = ""
        self.action_leave()

    def action_clear(self) -> None:
        self.close()

    def action_leave(self) -> None:
        if self.has_focus:
            self.screen.query_one("#pictures").focus()
        self.display = bool(self.value.strip())

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(FilterChanged(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_leave()
