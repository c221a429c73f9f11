"""All keys, and where things are kept."""

from __future__ import annotations

from itertools import groupby

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from latmix.config import Config, config_file
from latmix.names import display_name
from latmix.tui.commands import COMMANDS, LIST_KEYS
from latmix.tui.dialogs.dialog import Dialog
from latmix.tui.picture_list import MARKS


def key_rows() -> list[tuple[str, str, str]]:
    """Key, name and sentence of every command; a heading has only a key."""
    rows = [("Moving", "", "")]
    rows += [(keys, name, "") for keys, name in LIST_KEYS]
    for group, commands in groupby(COMMANDS, key=lambda command: command.group):
        rows.append((group, "", ""))
        rows += [(c.shown_keys, c.name, c.tooltip) for c in commands if c.id != "weight.more"]
    rows.append(("ctrl+p", "Palette", "Find any command by name."))
    return rows


class HelpDialog(Dialog[None]):
    """Scrolls; any of its keys closes it."""

    TITLE_TEXT = "Help"
    KEYS_TEXT = "↑ ↓ pgup pgdn scroll   esc or ? closes"
    BINDINGS = [
        Binding("question_mark,q,enter", "leave", "Close", show=False, id="help.leave",
                tooltip="Close."),
        Binding("j", "scroll(1)", "Down", show=False, id="help.down", tooltip="One line down."),
        Binding("k", "scroll(-1)", "Up", show=False, id="help.up", tooltip="One line up."),
    ]  # fmt: skip

    def __init__(self, config: Config) -> None:
        super().__init__(classes="wide")
        self._config = config

    def contents(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(self._table())

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column()
        for keys, name, sentence in key_rows():
            if not name:
                table.add_row(Text(keys, style="bold underline"), "")
                continue
            words = Text(name, style="bold")
            words.append(f"  {sentence}" if sentence else "", style="not bold")
            table.add_row(Text(keys), words)
        table.add_row(Text("Signs", style="bold underline"), "")
        table.add_row("", Text(MARKS))
        table.add_row(Text("Places", style="bold underline"), "")
        for name, path in (
            ("results", self._config.results),
            ("log", self._config.log_file),
            ("session", self._config.session_file),
            ("settings", config_file()),
            ("themes", config_file().parent / "themes"),
        ):
            table.add_row(Text(name), Text(display_name(path), overflow="fold"))
        return table
