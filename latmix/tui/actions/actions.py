"""What the keys do, the middle layer of the app: an action edits the session or asks for a job."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from textual.app import SystemCommand
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget

from latmix.mixing.grid import methods
from latmix.names import display_name, plural
from latmix.tui.actions.browsing import Browsing
from latmix.tui.actions.choosing import Choosing
from latmix.tui.actions.results import Results
from latmix.tui.actions.trying import Trying
from latmix.tui.actions.viewing import view_in_thread
from latmix.tui.dialogs.folder import FolderChosen, FolderDialog
from latmix.tui.dialogs.help import HelpDialog
from latmix.tui.dialogs.method import MethodDialog
from latmix.tui.dialogs.notice import NoticeDialog
from latmix.tui.dialogs.numbers import NumbersDialog
from latmix.tui.dialogs.text_entry import CountDialog
from latmix.tui.dialogs.theme import ThemeDialog
from latmix.tui.explorer import Explorer
from latmix.tui.keys.commands import COMMANDS, bindings
from latmix.tui.keys.palette import ChoiceProvider
from latmix.tui.numbers.statistics_panel import StatisticsPanel
from latmix.tui.terminal.themes import PLAIN

COMPARED_AT_MOST = 96
"""Pictures whose mixture is tried under every method before the grid is shown: in 50 ms or so."""


class Actions(Browsing, Results, Trying, Choosing):
    """The commands of `commands.COMMANDS`."""

    COMMANDS = Explorer.COMMANDS | {ChoiceProvider}

    BINDINGS = [
        *bindings(),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="program.quit_anywhere",
                tooltip="End at once, also from a dialog."),
    ]  # fmt: skip

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: every command, by name."""
        for command in COMMANDS:
            action = f"app.{command.action}"

            async def run(action: str = action) -> None:
                await self.run_action(action)

            keys = self.start.keymap.shown(command.id, command.shown_keys)
            yield SystemCommand(f"{command.name}  ({keys})", command.tooltip, run)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The footer shows stop only while something can be stopped, and invert only otherwise."""
        if action == "cancel_job":
            return self._has_what_to_stop
        return not (action == "invert" and self._has_what_to_stop)

    @property
    def _has_what_to_stop(self) -> bool:
        """Whether a job is under way or a weight is being typed, which escape leaves."""
        return self.work.is_busy or (not self.is_ending and self.pictures.entry is not None)

    # Choices

    def action_open_folder(self) -> None:
        folder = self.session.folder
        start = folder.parent if folder is not None else Path.cwd()
        self.push_screen(FolderDialog(start), self.folder_chosen)

    def folder_chosen(self, chosen: FolderChosen | None) -> None:
        raise NotImplementedError

    def action_choose_count(self) -> None:
        most = len(self.session.pictures) - len(self.session.failures)
        if most < 1:
            self.say("No pictures to choose from: f opens a folder.")
            return
        count = len(self.session.mixture) if self.session.mixture else min(8, most)
        self.push_screen(CountDialog(count, most), self.take_count)

    def take_count(self, count: int | None) -> None:
        """Mix the first `count` pictures, or all where there are fewer."""
        if count is not None and self.session.set_count(count):
            mixed = plural(len(self.session.mixture or ()), "picture")
            self.changed(f"The first {mixed}, with equal weights.")

    def action_choose_method(self) -> None:
        remarks = {name: self._remark(name) for name in methods()} if self._is_compared else {}
        dialog = MethodDialog(self.session.choices.method, remarks)
        self.push_screen(dialog, self._method_chosen)

    @property
    def _is_compared(self) -> bool:
        """Whether the statistics of every method are there at once."""
        inversion = self.session.inversion
        few = inversion is not None and len(inversion.rows) <= COMPARED_AT_MOST
        return few and self.session.is_measured

    def _remark(self, method: str) -> str:
        """What a method would do at the present weights, as a sign."""
        try:
            statistics = self.session.statistics(method)
        except ValueError:
            return "×"
        if statistics is None:
            return ""
        return "!" if statistics.warning else "✓"

    def _method_chosen(self, chosen: tuple[str, ...] | None) -> None:
        if chosen is not None:
            self.take_method(chosen[0])

    def take_method(self, method: str) -> None:
        if self.session.choose(method=method):
            self.changed(f"Method {method}.")

    def action_choose_theme(self) -> None:
        if self.start.is_plain:
            self.say(f"NO_COLOR is set: the theme stays {PLAIN}.")
            return
        self.push_screen(ThemeDialog(self.theme_names(), self.theme), self.take_theme)

    def theme_names(self) -> list[str]:
        """Every theme, latmix's own first; without colours only one."""
        if self.start.is_plain:
            return [PLAIN]
        ours = [theme.name for theme in self.start.themes.loaded]
        return ours + sorted(name for name in self.available_themes if name not in ours)

    def take_theme(self, name: str | None) -> None:
        """Put a theme on, and keep it."""
        if name is not None:
            self.theme = self.session.theme = name
            fixed = "; the configuration names another for the next start"
            named = self.config.theme not in ("", name)
            self.changed(f"Theme {display_name(name)}{fixed if named else ''}.")

    # Jobs

    def action_invert(self) -> None:
        if self.session.mixture is None:
            self.say("No pictures to invert: space takes one in, f opens a folder.")
        elif self.work.is_busy:
            self.say_busy()
        else:
            self.pane.turn(to_mixture=True)
            self.work.invert()
            self.show_job()

    def action_generate(self) -> None:
        if self.session.mixture is None:
            self.say("No pictures to mix: space takes one in, f opens a folder.")
        elif not self.work.is_busy:
            self.pane.turn(to_mixture=True)
            self.work.generate()
            self.show_job()
        elif self.work.follow_with(self.work.generate):
            first = self.work.asked is not None and self.work.asked.kind == "invert"
            ended = "once the pictures are inverted" if first else "after the one at work"
            self.notify(f"The picture will be made {ended}.", markup=False)
        else:
            self.say_busy()

    def say_busy(self) -> None:
        self.notify("A job is at work: esc stops it.", markup=False)

    def action_cancel_job(self) -> None:
        if self.pictures.entry is not None:
            self.pictures.end_entry()
            return
        self.work.stop()
        self.show_job()

    def action_pause_job(self) -> None:
        if not self.work.toggle_pause():
            self.say("Nothing is at work to pause.")
        self.show_job()

    def action_interrupt(self) -> None:
        if self.work.stop():
            self.show_job()
        else:
            self.say("Nothing is at work. q quits.")

    # Pictures, numbers and commands

    def action_show_numbers(self) -> None:
        session = self.session
        found = self.screen_stack[0].query_one(StatisticsPanel).statistics
        inversion, live = session.inversion, session.live
        if found is None or inversion is None or live is None:
            self.say("No numbers yet: i inverts the pictures of the mixture.")
            return
        weights = zip([row.path for row in inversion.rows], session.weights_by_row(), strict=True)
        inputs = session.inputs() if live.is_instant else None
        self.push_screen(NumbersDialog(found, session.choices.method, tuple(weights), inputs))

    def action_flip_view(self) -> None:
        self.pane.turn(to_mixture=not self.pane.shows_mixture)

    def action_open_picture(self) -> None:
        path = self.pane.path
        if path is None:
            self.say("No picture to open yet: g makes one.")
        else:
            self.say(f"opening {display_name(path.name)}…")
            view_in_thread(path, self.post_message)

    def action_copy_command(self) -> None:
        command = self.session.command()
        self.copy(command)
        self.push_screen(NoticeDialog("The same from the shell (copied)", command))

    def _pane_in_focus(self) -> Widget | None:
        """The focused widget, or the screen itself where that has a help of its own."""
        return self.screen if self.screen.HELP else self.focused

    def action_show_help(self) -> None:
        self.push_screen(HelpDialog(self.config, self.start.keymap, self._pane_in_focus()))
