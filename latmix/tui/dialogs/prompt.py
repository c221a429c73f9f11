"""What the pictures show: a template for all, and the picture under the cursor's own words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Input, Static

from latmix.jobs.screen.choosing import Prompts
from latmix.names import display_name, plural
from latmix.tui.dialogs.dialog import Dialog


@dataclass(frozen=True)
class PromptAnswer:
    """What was written; `own` is None where the picture's own prompt was left as it was."""

    template: str
    own: str | None


class PromptDialog(Dialog[PromptAnswer]):
    """Two lines to write; the second is kept in a file beside the picture."""

    TITLE_TEXT = "Prompt"
    KEYS_TEXT = "tab the other line   enter takes both   esc leaves"

    def __init__(self, prompt: str, path: Path | None) -> None:
        """path: of the picture under the cursor, if there is one."""
        super().__init__()
        self._prompt, self._path = prompt, path
        self._own: str | None = None
        self._is_known = False

    def contents(self) -> ComposeResult:
        yield Static(
            Text(
                "What the pictures show. {name} and {folder} are filled in for each picture. "
                "Another prompt means other latents: the pictures are inverted again."
            )
        )
        yield Input(
            self._prompt, placeholder="an emoji of a {name}", select_on_focus=False, id="template"
        )
        if self._path is not None:
            yield Static("", id="own-words", markup=False)
            yield Input("", placeholder="reading…", disabled=True, select_on_focus=False, id="own")

    def begin(self) -> None:
        self.query_one("#template", Input).focus()

    def show_prompts(self, prompts: Prompts) -> None:
        """The picture's own prompt has been read."""
        if self._path is None or not self.is_attached:
            return
        self._own, self._is_known = prompts.own, True
        entry = self.query_one("#own", Input)
        entry.value, entry.disabled = prompts.own or "", False
        entry.placeholder = "the same as all"
        name = display_name(self._path.with_suffix(".txt").name, 40)
        words = f"For {display_name(self._path.name, 40)} alone, kept in {name}"
        if prompts.sidecars:
            words += f" ({plural(prompts.sidecars, 'such file')} in the mixture)"
        self.query_one("#own-words", Static).update(Text(f"{words}:"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        own = None
        if self._is_known:
            written = self.query_one("#own", Input).value.strip()
            own = written if written != (self._own or "") else None
        template = self.query_one("#template", Input).value.strip()
        self.dismiss(PromptAnswer(template, own))
