"""What the keys do with the program: help, theme, quit."""

from __future__ import annotations

from functools import partial

from latmix.names import display_name
from latmix.tui.dialogs.help import HelpDialog
from latmix.tui.dialogs.lists import ThemeDialog
from latmix.tui.explorer import Explorer
from latmix.tui.keys.command import Area
from latmix.tui.terminal.themes import PLAIN

AREA = Area("Program")


@AREA.command("program.help", "question_mark,f1", "?  f1", "Help", footer="help", opens=True)
def show_help(explorer: Explorer) -> None:
    """All keys."""
    # The focused widget, or the screen itself where that has a help of its own.
    pane = explorer.screen if explorer.screen.HELP else explorer.focused
    keymap = explorer.start.keymap
    explorer.push_screen(HelpDialog(explorer.commands, keymap, explorer.config, pane))


@AREA.command("program.theme", "t", "t", "Theme", opens=True)
def choose_theme(explorer: Explorer) -> None:
    """Choose the colours; seen at once, and kept."""
    if explorer.start.is_plain:
        explorer.say(f"NO_COLOR is set: the theme stays {PLAIN}.")
        return
    dialog = ThemeDialog(theme_names(explorer), explorer.theme)
    explorer.open(dialog, partial(take_theme, explorer))


def theme_names(explorer: Explorer) -> list[str]:
    """Every theme, latmix's own first; without colours only one."""
    if explorer.start.is_plain:
        return [PLAIN]
    ours = [theme.name for theme in explorer.start.themes.loaded]
    return ours + sorted(name for name in explorer.available_themes if name not in ours)


def take_theme(explorer: Explorer, name: str) -> None:
    """Put a theme on, and keep it."""
    explorer.theme = explorer.session.theme = name
    fixed = "; the configuration names another for the next start"
    named = explorer.config.theme not in ("", name)
    explorer.changed(f"Theme {display_name(name)}{fixed if named else ''}.")


@AREA.command("program.quit", "q", "q", "Quit", footer="quit")
def leave(explorer: Explorer) -> None:
    """End at once, also in the middle of a job; everything is kept for the next start."""
    explorer.leave(0)
