"""The app: what happens when jobs report, folders open, and the system asks it to end."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import suppress
from pathlib import Path

from textual.screen import Screen

from latmix.errors import LatmixError
from latmix.jobs.engine import JobCancelled, JobFailed, JobFinished, JobProgressed
from latmix.jobs.screen.browsing import Found, Listing
from latmix.jobs.screen.history import Revisited
from latmix.jobs.screen.studio import Made
from latmix.jobs.screen.variants import Variants
from latmix.jobs.screen.weights import TextWritten, WeightsRead
from latmix.names import display_name, plural
from latmix.tui.actions.actions import Actions
from latmix.tui.dialogs.folder import FolderChosen, FolderDialog
from latmix.tui.dialogs.notice import NoticeDialog
from latmix.tui.explorer import COLLECT_EVERY
from latmix.tui.messages import (
    CursorMoved,
    FolderExpanded,
    JobReported,
    SignalReceived,
    ViewerAnswered,
)
from latmix.tui.numbers.statistics_panel import StatisticsPanel
from latmix.tui.pictures.picture_pane import Result
from latmix.tui.terminal.hangup import watch_terminal
from latmix.tui.title_line import short_name

THUMBNAIL_DELAY = 0.08
TAKING_UP = 0.5
PREVIEWS = {
    "invert": "inverting: as the model sees it",
    "generate": "generating: the mixture so far",
}


class ExploreApp(Actions):
    """`latmix explore`."""

    _to_restore: Revisited | None = None
    _is_taking_up = False
    _is_arranged = False

    def on_mount(self) -> None:
        self._listen_to_signals()
        self.pictures.focus()
        self.set_tooltips()
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
            self.action_open_folder()
        else:
            self.open_folder(self.start.folder, self.session.recursive)

    def _listen_to_signals(self) -> None:
        """End in order when the system asks, so that the terminal is left as it was found."""
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            number = getattr(signal, name, None)
            if number is not None:
                with suppress(NotImplementedError, RuntimeError, ValueError):
                    loop.add_signal_handler(number, self.post_message, SignalReceived(number))
        watch_terminal(lambda: self.post_message(SignalReceived(signal.SIGHUP)))

    def on_signal_received(self, message: SignalReceived) -> None:
        self._leave(128 + message.number)

    async def action_quit(self) -> None:
        self._leave(0)

    def _leave(self, code: int) -> None:
        """End now: jobs are asked to stop, and whoever ran the app waits for what must be kept."""
        self.work.cancel_all()
        self.exit(code, return_code=code)

    def _handle_exception(self, error: Exception) -> None:
        logging.getLogger("latmix").error("the terminal UI failed", exc_info=error)
        super()._handle_exception(error)

    # Folders

    def folder_chosen(self, chosen: FolderChosen | None) -> None:
        if chosen is not None:
            self.open_folder(chosen.folder, chosen.recursive, chosen.prompt)

    def open_folder(self, folder: Path, recursive: bool, prompt: str | None = None) -> None:
        """Have a folder's pictures read; they are shown when they come."""
        self.work.scan(folder.absolute(), recursive, prompt)
        self.say(f"reading {short_name(folder)}…")
        self.show_input()

    def _take_pictures(self, found: Found) -> None:
        session, folder = self.session, found.folder
        resumes = self.start.is_resumed and session.folder == folder and not session.pictures
        self.work.stop()
        session.recursive = found.recursive
        if resumes:
            session.keep_existing(found.pictures, self.start.count)
            mixed = plural(len(session.mixture or ()), "picture")
            said = f"Resumed: {mixed} mixed by {session.choices.method}. --fresh starts anew."
        else:
            if found.prompt is not None:
                session.choose(prompt=found.prompt)
            session.open_folder(folder, found.pictures, self.start.count)
            said = f"{plural(len(found.pictures), 'picture')} in {short_name(folder)}"
            said += f"; prompt: {session.choices.prompt}" if session.choices.prompt else ""
            self.pane.take_result(None)
            self.pane.turn(to_mixture=False)
        if (there := self._to_restore) is not None:
            self._to_restore = None
            self.restore(there)
            said = self.job_line.said
        self.work.forget_look_ups()
        self.pictures.show_folder()
        if not self._is_arranged:
            self._is_arranged = True
            self.pictures.take_up()
        self.pictures.keep()
        self.show_filter()
        if resumes:
            self._take_up_view()
        self.changed(said)
        self._read_input_soon()

    def _take_up_view(self) -> None:
        """The cursor, the focus and the result where they were left."""
        session = self.session
        self.pictures.go_to(Path(session.view.get("picture", "")))
        if not session.results:
            return
        session.shown = session.shown or session.results[-1]
        self.work.read_result(session.shown)
        # The cursor goes to its place meanwhile, which must not turn the pane away again.
        self._is_taking_up = True
        self.later("taken up", TAKING_UP, self._taken_up)
        if session.view.get("pane") == "results":
            self.history.focus()

    def _taken_up(self) -> None:
        self._is_taking_up = False

    def open_to_restore(self, there: Revisited) -> None:
        self._to_restore = there
        self.open_folder(there.folder, there.recursive)

    def on_folder_expanded(self, message: FolderExpanded) -> None:
        self.work.list_folders(message.folder)

    # Widgets

    def on_cursor_moved(self, message: CursorMoved) -> None:
        if message.path is not None:
            self.session.view["picture"] = str(message.path)
        if not self.work.is_busy and not self._is_taking_up:
            self.pane.turn(to_mixture=False)
        self.show_input()
        self._read_input_soon()

    def _read_input_soon(self) -> None:
        """Read the picture under the cursor, once it rests."""
        path = self.pictures.current
        if path is not None and str(path) not in self.session.failures:
            self.later("thumbnail", THUMBNAIL_DELAY, lambda: self.work.read_thumbnail(path))

    def on_viewer_answered(self, message: ViewerAnswered) -> None:
        if self.is_ending:
            return
        if not message.answer.is_open:
            self.copy(str(message.path))
            self.warn(f"{message.answer.message} (its path is copied)")
        self.say(message.answer.message)

    # Jobs

    def on_job_reported(self, message: JobReported) -> None:
        if self.is_ending:
            return
        event = message.event
        said = self.work.take(event)
        if self.work.has_taken_long(event):
            self.bell()
        if event.kind in ("scan", "list") and not isinstance(event, JobProgressed):
            self.work.prepare()
        match event:
            case JobProgressed(progress=progress):
                if self.work.is_busy and progress.preview is not None:
                    name = PREVIEWS.get(progress.phase, "")
                    self.pane.take_preview(progress.preview, name)
                self.show_job()
                return
            case JobCancelled(kind="draft"):
                return
            case JobFinished(kind="draft" | "compare", result=Variants() as variants):
                self.take_variants(event, variants)
            case JobFinished(kind="scan", result=Found() as found):
                if self.work.is_wanted(event):
                    self._take_pictures(found)
            case JobFinished(kind="list", result=Listing() as listing):
                if (dialog := self._folder_dialog()) is not None:
                    dialog.show_listing(listing)
            case JobFinished(kind="thumbnail" | "weigh"):
                self._take_reading(event)
            case JobFinished(kind="result" | "strip" | "diff" | "export" | "revisit"):
                self.take_history(event)
            case JobFinished(kind="models" | "prompts" | "sidecar"):
                self.take_choice(event)
            case JobFinished(kind="generate", result=Made() as made):
                self._take_made(made)
            case JobFailed(error=error):
                self._take_failure(event, error)
            case JobFinished(kind="tile", result=(Path() as path, image)):
                self.take_tile(path, image)
            case JobFinished(kind="weights", result=WeightsRead() as read):
                if self.work.is_wanted(event):
                    self.take_weights(read)
            case JobFinished(kind="write", result=TextWritten() as written):
                self.take_written(written)
            case JobFinished(kind="save") | JobCancelled(kind="tile"):
                pass
            case _:
                self.pane.take_preview(None)
                self.say(said)
                self.show_all()
                self.draft_soon()
                if isinstance(event, JobCancelled) or event.kind == "model":
                    self.look_up_soon()

    def _take_reading(self, event: JobFinished) -> None:
        if not self.work.is_wanted(event):
            return
        match event:
            case JobFinished(kind="thumbnail", result=image):
                self.pane.take_thumbnail(image)
            case JobFinished(kind="weigh", result=statistics):
                self.screen_stack[0].query_one(StatisticsPanel).show(statistics)

    def _take_made(self, made: Made) -> None:
        self.session.add_result(made.path)
        choices = self.work.ended.choices if self.work.ended else self.session.choices
        self.choices_of[made.path] = choices
        self.pane.take_result(Result(made.path, made.picture, choices))
        name = display_name(made.path.name)
        self.changed(f"Made in {made.seconds:.1f} s: {name}. o opens it.")

    def _take_failure(self, event: JobFailed, error: LatmixError) -> None:
        self.pane.take_preview(None)
        self.show_all()
        match event.kind:
            case "thumbnail":
                if self.work.is_wanted(event):
                    self.pane.show_input(self.pictures.current, str(error))
            case "list":
                if (dialog := self._folder_dialog()) is not None:
                    dialog.show_error(str(error))
            case "result" | "recall" | "weigh" | "draft":
                self.say(str(error))
            case "diff" | "revisit" if not self.work.is_wanted(event):
                pass
            case "save":
                self.warn(f"The session is not saved: {error}")
            case _:
                self.say(f"! {error.message}")
                self.push_screen(NoticeDialog("That did not work", _in_lines(error)))

    def _folder_dialog(self) -> FolderDialog | None:
        screen: Screen[object] = self.screen
        return screen if isinstance(screen, FolderDialog) else None


def _in_lines(error: LatmixError) -> str:
    return f"{error.message}\n\n{error.hint}" if error.hint else error.message
