"""What the pane in focus is for, all keys, and where things are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text
from textual.binding import Binding
from textual.keys import format_key
from textual.widget import Widget

from latmix.config import Config, config_file
from latmix.names import display_name
from latmix.tui.dialogs.reading import ReadingDialog
from latmix.tui.keys.binding import key, up_and_down
from latmix.tui.keys.command import Command
from latmix.tui.keys.keymap import Keymap
from latmix.tui.listing.picture_rows import MARKS

SAID_WITH_ANOTHER = ("weight.more", "result.newer")
"""Commands that the one before them names as well."""

LIST_KEYS = (
    ("j/k  ↓ ↑", "Down, up", ""),
    ("pgup pgdn home end", "A page, the first, the last", ""),
    ("tab  shift+tab", "The next, the previous picture of the mixture", ""),
)
"""Keys of the list itself."""

SHOWN = {"enter": "enter"}
"""Keys that Textual shows by signs which few know."""


def command_rows(commands: Sequence[Command], keymap: Keymap) -> list[tuple[str, str, str]]:
    """Key, name and sentence of every command; a heading has only a key."""
    rows = [("Moving", "", ""), *LIST_KEYS]
    for group, members in groupby(commands, key=lambda command: command.group):
        rows.append((group, "", ""))
        rows += [
            (keymap.shown(c.id, c.shown_keys), c.name, c.tooltip)
            for c in members
            if c.id not in SAID_WITH_ANOTHER or c.id in keymap.keys
        ]
    rows.append(("ctrl+p", "Palette", "Find any command, method, setting or theme by name."))
    return rows


def pane_rows(pane: Widget | None, keymap: Keymap) -> list[tuple[str, str, str]]:
    """The same of the keys that the pane in focus has of its own."""
    rows = []
    for binding in (b for b in getattr(pane, "BINDINGS", ()) if isinstance(b, Binding)):
        if binding.id and binding.id.startswith("list."):
            continue  # said under "Moving"
        usual = "  ".join(SHOWN.get(key) or format_key(key) for key in binding.key.split(","))
        shown = keymap.shown(binding.id or "", usual)
        rows.append((shown, binding.description, binding.tooltip))
    return rows


class HelpDialog(ReadingDialog):
    """Scrolls; any of its keys closes it."""

    TITLE_TEXT = "Help"
    KEYS_TEXT = "↑ ↓ pgup pgdn scroll   esc or ? closes"
    BINDINGS = [
        key("help.leave", "question_mark,q,enter", "leave", "Close", "Close."),
        *up_and_down("help", "focused.scroll", "line "),
    ]

    def __init__(
        self,
        commands: Sequence[Command],
        keymap: Keymap,
        config: Config,
        pane: Widget | None = None,
    ) -> None:
        """pane: what had the focus; its help comes first."""
        words, own = getattr(pane, "HELP", None), pane_rows(pane, keymap)
        here = [("Here", "", ""), *own] if own else []
        table = help_table([*here, *command_rows(commands, keymap)], config)
        super().__init__(*([Text(words)] if words else []), table)


def help_table(rows: Iterable[tuple[str, str, str]], config: Config) -> Table:
    """Keys with what they do, what signs mean, and where things are kept."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for keys, name, sentence in rows:
        words = Text(name, style="bold")
        words.append(f"  {sentence}" if sentence else "", style="not bold")
        table.add_row(Text(keys, style="" if name else "bold underline"), words)
    table.add_row(Text("Signs", style="bold underline"), "")
    table.add_row("", Text(MARKS))
    table.add_row(Text("Places", style="bold underline"), "")
    for name, path in (
        ("results", config.results),
        ("log", config.log_file),
        ("session", config.session_file),
        ("settings", config_file()),
        ("themes", config_file().parent / "themes"),
    ):
        table.add_row(Text(name), Text(display_name(path), overflow="fold"))
    return table
