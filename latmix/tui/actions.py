"""What the keys do, the middle layer of the app: an action edits the session or asks for a job."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from textual.app import SystemCommand
from textual.binding import Binding
from textual.screen import Screen

from latmix.mixing.grid import methods
from latmix.names import display_name, plural
from latmix.tui.browsing import Browsing
from latmix.tui.commands import COMMANDS, bindings
from latmix.tui.dialogs.folder import FolderChosen, FolderDialog
from latmix.tui.dialogs.help import HelpDialog
from latmix.tui.dialogs.method import MethodDialog
from latmix.tui.dialogs.notice import NoticeDialog
from latmix.tui.dialogs.text_entry import CountDialog, PromptDialog
from latmix.tui.dialogs.theme import ThemeDialog
from latmix.tui.themes import PLAIN
from latmix.tui.viewing import view_in_thread

COMPARED_AT_MOST = 96
"""Pictures whose mixture is tried under every method before the grid is shown: in 50 ms or so."""


class Actions(Browsing):
    """The commands of `commands.COMMANDS`."""

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

            yield SystemCommand(f"{command.name}  ({command.shown_keys})", command.tooltip, run)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The footer shows stop only while something can be stopped, and invert only otherwise."""
        if action == "cancel_job":
            return self.work.is_busy or (not self.is_ending and self.pictures.entry is not None)
        return not (action == "invert" and self.work.is_busy)

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
        self.push_screen(CountDialog(count, most), self._count_chosen)

    def _count_chosen(self, count: int | None) -> None:
        if count is not None and self.session.set_count(count):
            self.changed(f"The first {plural(count, 'picture')}, with equal weights.")

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

    def _method_chosen(self, method: str | None) -> None:
        if method is not None and self.session.choose(method=method):
            self.changed(f"Method {method}.")

    def action_edit_prompt(self) -> None:
        self.push_screen(PromptDialog(self.session.choices.prompt), self._prompt_chosen)

    def _prompt_chosen(self, prompt: str | None) -> None:
        if prompt is not None and self.session.choose(prompt=prompt):
            self.changed("Another prompt: the pictures have other latents now.")

    def action_choose_theme(self) -> None:
        if self.start.is_plain:
            self.say(f"NO_COLOR is set: the theme stays {PLAIN}.")
            return
        ours = [theme.name for theme in self.start.themes.loaded]
        others = sorted(name for name in self.available_themes if name not in ours)
        self.push_screen(ThemeDialog(ours + others, self.theme), self._theme_chosen)

    def _theme_chosen(self, name: str | None) -> None:
        if name is not None:
            self.session.theme = name
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
        elif self.work.is_busy:
            self.say_busy()
        else:
            self.pane.turn(to_mixture=True)
            self.work.generate()
            self.show_job()

    def say_busy(self) -> None:
        if self.work.generate_after_inversion():
            self.notify("The picture will be made once the pictures are inverted.", markup=False)
        else:
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

    # Pictures and commands

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

    def action_show_help(self) -> None:
        self.push_screen(HelpDialog(self.config))
