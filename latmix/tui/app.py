"""The app: commands bound to keys, what widgets post, how it begins and how the system ends it."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from textual import events
from textual.app import SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.screen import Screen

from latmix.jobs.screen.browsing import import_readers
from latmix.tui import messages
from latmix.tui.actions import areas, keeping, pictures, results, weights
from latmix.tui.actions.folders import open_folder
from latmix.tui.dialogs.folder import FolderChosen
from latmix.tui.explorer import Explorer
from latmix.tui.keys.palette import ChoiceProvider
from latmix.tui.start import Start
from latmix.tui.terminal.garbage import Garbage
from latmix.tui.terminal.hangup import watch_terminal
from latmix.tui.terminal.type_ahead import TypeAhead

COLLECT_EVERY = 1.0

BY_ID = {command.id: command for command in areas.COMMANDS}
OPENERS = frozenset(command.id for command in areas.COMMANDS if command.opens)


class ExploreApp(Explorer):
    """`latmix explore`."""

    COMMANDS = Explorer.COMMANDS | {ChoiceProvider}
    BINDINGS = [
        *(command.binding() for command in areas.COMMANDS),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="program.quit_anywhere",
                tooltip="End at once, also from a dialog."),
    ]  # fmt: skip

    commands = areas.COMMANDS

    def __init__(self, start: Start) -> None:
        super().__init__(start)
        self.garbage = Garbage()
        pass_on = super().on_event
        self._type_ahead = TypeAhead(self, OPENERS, self._takes_letters, pass_on)

    def on_mount(self) -> None:
        self._listen_to_signals()
        self.pictures.focus()
        self.show_all()
        # After the first paint: folders and torch are read while the user already looks.
        self.call_after_refresh(self._begin)

    def on_unmount(self) -> None:
        self.garbage.give_back()

    def _begin(self) -> None:
        self.garbage.take_over()
        self.set_interval(COLLECT_EVERY, self.garbage.collect_if_quiet)
        for note in (*self.start.notes, *self.start.themes.failed):
            self.warn(note)
        if self.start.folder is None:
            pictures.choose_folder(self)
        else:
            open_folder(self, FolderChosen(self.start.folder, self.session.recursive))
        # After the folder, which the user waits for.
        self.ask("import", import_readers, lambda _: self.jobs.prepare())

    # Keys

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self.garbage.touch()
        await self._type_ahead.take(event)

    def pop_screen(self) -> AwaitComplete:
        popped = super().pop_screen()
        self._type_ahead.screen_closed()
        return popped

    def _takes_letters(self) -> bool:
        return not self.is_ending and self.pictures.is_filtering

    def action_command(self, id: str) -> None:
        """Run a command by its id."""
        BY_ID[id].run(self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a command works now, and the footer shows it."""
        busy = BY_ID[str(*parameters)].busy if action == "command" else None
        return busy is None or busy == self.has_what_to_stop

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: every command, by name."""
        for command in areas.COMMANDS:
            keys = self.start.keymap.shown(command.id, command.shown_keys)
            run = partial(command.run, self)
            yield SystemCommand(f"{command.name}  ({keys})", command.tooltip, run)

    # What widgets and jobs post

    def on_job_reported(self, message: messages.JobReported) -> None:
        if not self.is_ending:
            message.event.answer()

    def on_cursor_moved(self, message: messages.CursorMoved) -> None:
        if message.path is not None:
            self.session.view["picture"] = str(message.path)
        if not self.work.is_busy and not self.is_taking_up:
            self.pane.turn(to_mixture=False)
        self.show_input()
        self.read_input_soon()

    def on_list_changed(self, message: messages.ListChanged) -> None:
        self.say(message.said)
        self.show_input()
        self.save_soon()

    def on_bar_pulled(self, message: messages.BarPulled) -> None:
        weights.pull(self, message)

    def on_signs_clicked(self, message: messages.SignsClicked) -> None:
        pictures.click_signs(self, message)

    def on_result_chosen(self, message: messages.ResultChosen) -> None:
        results.look_at(self, message.path)

    def on_paste(self, event: events.Paste) -> None:
        """Text that was pasted into the window, and into no line of a dialog."""
        event.stop()
        if event.text.strip() and len(self.screen_stack) == 1:
            keeping.paste(self, event.text)

    # The end

    def _listen_to_signals(self) -> None:
        """End in order when the system asks, so that the terminal is left as it was found."""
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            number = getattr(signal, name, None)
            if number is not None:
                with suppress(NotImplementedError, RuntimeError, ValueError):
                    loop.add_signal_handler(number, self.leave, 128 + number)
        watch_terminal(lambda: loop.call_soon_threadsafe(self.leave, 128 + signal.SIGHUP))

    async def action_quit(self) -> None:
        self.leave(0)

    def _handle_exception(self, error: Exception) -> None:
        logging.getLogger("latmix").error("the terminal UI failed", exc_info=error)
        super()._handle_exception(error)
