"""The explorer: what is on the screen, how it is drawn from the session, and who does its jobs.

Actions are functions of it (`actions`), and `app` binds them to keys; it knows none of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Static

from latmix.disk import write_json_durably
from latmix.errors import LatmixError
from latmix.jobs.engine import JobEvent
from latmix.jobs.screen.pictures import read_for_screen
from latmix.jobs.screen.variants import Variants
from latmix.names import display_name, plural
from latmix.session import saved
from latmix.session.choices import Choices
from latmix.tui.dialogs.dialog import Answer
from latmix.tui.dialogs.reading import NoticeDialog
from latmix.tui.keys.command import Command
from latmix.tui.listing.arrangement import Heading
from latmix.tui.listing.picture_column import PictureColumn
from latmix.tui.listing.picture_list import PictureList
from latmix.tui.messages import JobReported
from latmix.tui.numbers.statistics_panel import StatisticsPanel, advice_for
from latmix.tui.pictures.history_strip import HistoryStrip
from latmix.tui.pictures.picture_pane import PicturePane, Result
from latmix.tui.start import Start
from latmix.tui.terminal.opening import TOO_SMALL
from latmix.tui.terminal.themes import PLAIN
from latmix.tui.title_line import TitleLine
from latmix.tui.work.engines import Engines
from latmix.tui.work.job_line import JobLine
from latmix.tui.work.jobs import Jobs
from latmix.tui.work.phases import phase_of

SAVE_DELAY = 2.0
LOOK_UP_DELAY = 0.3
DRAFT_DELAY = 0.25
THUMBNAIL_DELAY = 0.08
EMOJI_NOTE = "The built-in model knows emoji only: M chooses another."


class Explorer(App[int]):
    """Draws the session, and takes the answers of jobs on its own thread.

    Attributes:
        jobs, work: on the device; the one that the user waits for.
        ask: has something read or written, as `Engines.ask`.
        commands: all that can be done by a key.
        choices_of: each result that was made since the start.
    """

    CSS_PATH = "explore.tcss"
    TITLE = "latmix"
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (60, "-narrow"), (80, "-middle"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (20, "-low"), (24, "-usual"), (34, "-tall")]

    commands: tuple[Command, ...] = ()
    is_scanning = False
    is_taking_up = False
    pulled: tuple[Choices | None, Choices | None] = (None, None)
    weights_file = Path("weights.csv")
    _footer_is_busy = False

    def __init__(self, start: Start) -> None:
        super().__init__(ansi_color=True if start.is_plain else None)
        self.start, self.config, self.session = start, start.config, start.session
        # A page that glides is a dozen paints, which a slow link has to carry.
        self.animation_level = "none"
        self.choices_of: dict[Path, Choices] = {}
        for theme in start.themes.loaded:
            self.register_theme(theme)
        wanted = (start.config.theme, start.session.theme)
        self.theme = PLAIN if start.is_plain else start.themes.find(*wanted)
        self.set_keymap(dict(start.keymap.keys))
        self.engines = Engines(self._tell, self.show_error)
        self.ask = self.engines.ask
        self.jobs = Jobs(start.session, start.studio, self.engines.device, self)
        self.work = self.jobs.work
        self._timers_by_name: dict[str, Timer] = {}

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What Textual's own style sheets ask for and an ansi theme need not name."""
        return {"ansi-background": "ansi_default", "ansi-foreground": "ansi_default"}

    def compose(self) -> ComposeResult:
        session, small = self.session, self.engines.small
        self.title_line, self.job_line = TitleLine(session, self.jobs), JobLine()
        self.pictures = PictureList(session, small, lambda: self.has_what_to_stop)
        self.column = PictureColumn(session, self.pictures)
        self.pane, self.panel = PicturePane(self.start.pixels), StatisticsPanel()
        self.history = HistoryStrip(session, small)
        yield self.title_line
        yield Horizontal(
            self.column, Vertical(self.pane, self.history, self.panel, id="right"), id="body"
        )
        yield self.job_line
        yield Footer()
        yield Static(TOO_SMALL, id="too-small", markup=False)

    @property
    def is_ending(self) -> bool:
        """Whether the screen is being taken down; threads may report until the very end."""
        return not self.screen_stack or not self.screen_stack[0].query(JobLine)

    @property
    def has_what_to_stop(self) -> bool:
        """Whether a job is under way or a weight is being typed, which escape leaves."""
        return self.work.is_busy or (not self.is_ending and self.pictures.entry is not None)

    # Drawing

    def show_all(self) -> None:
        """Draw the session and the work anew."""
        self.column.show()
        self.history.show()
        self.title_line.show()
        self.show_statistics()
        self.show_input()
        self.pane.compare(self.session.choices)
        self.show_job()

    def show_input(self) -> None:
        """The picture under the cursor, or why there is none."""
        current = self.pictures.current
        if current is None:
            self.pane.show_input(None, self._why_nothing())
            return
        fault = self.session.failures.get(str(current), "")
        self.pane.show_input(current, f"{fault}\nspace tries it again." if fault else "")

    def _why_nothing(self) -> str:
        """Why no picture is under the cursor; empty where no folder is open."""
        row = self.pictures.row
        if self.is_scanning:
            return "reading…"
        if isinstance(row, Heading):
            count = plural(row.count, "picture")
            return f"{display_name(row.folder.name)}: {count}\n\nenter or z folds it, a marks them."
        return "No picture has these words: esc shows all." if self.session.pictures else ""

    def show_statistics(self) -> None:
        """The mixture's numbers; of very many pictures they come later, from a job."""
        session, live, panel = self.session, self.session.latents.live, self.panel
        self.engines.files.drop("weigh")
        try:
            if live is not None and session.is_measured and not live.is_instant:
                weights, method = session.latents.weights_by_row(), session.choices.method
                work = partial(live.statistics, weights, method)
                self.ask("weigh", work, panel.show, panel.show_fault)
            else:
                panel.show(session.latents.statistics(), self._advice())
        except (ValueError, LatmixError) as error:
            panel.show_fault(error)

    def _advice(self) -> str:
        if not self.session.pictures:
            return ""
        used, mixture = self.jobs.working_model, self.session.mixture
        note = EMOJI_NOTE if used is not None and used.is_built_in else ""
        mixed = len(mixture) if mixture else 0
        return advice_for(len(self.session.uninverted), mixed, note, self.work.is_inverting)

    def show_job(self) -> None:
        """The job at work, with the keys that go with it."""
        progress = self.work.progress
        if progress is not None and progress.preview is not None:
            self.pane.take_preview(progress.preview, phase_of(progress.phase).preview)
        for line in (line for screen in self.screen_stack for line in screen.query(JobLine)):
            line.show_job(self.work)
        if self.work.is_busy != self._footer_is_busy:
            self._footer_is_busy = self.work.is_busy
            self.refresh_bindings()
            self.show_statistics()

    def open(self, dialog: Screen[Answer], take: Callable[[Answer], object]) -> None:
        """Open a dialog, and have its answer taken unless it is left."""

        def answered(answer: Answer | None) -> None:
            if answer is not None:
                take(answer)

        self.push_screen(dialog, answered)

    def say(self, text: str) -> None:
        """A line about what just happened."""
        if text:
            self.job_line.say(text)

    def warn(self, text: str) -> None:
        """Something that must not be overlooked."""
        self.notify(text, severity="warning", timeout=10, markup=False)

    def copy(self, text: str) -> None:
        """To the clipboard, through the terminal (OSC 52)."""
        self.copy_to_clipboard(text.encode("utf-8", "backslashreplace").decode())

    # What follows an edit

    def changed(self, what: str = "") -> None:
        """The session was edited: show it, look for latents, and save it once keys are quiet."""
        self.say(what)
        self.show_all()
        self.later("recall", LOOK_UP_DELAY, self.jobs.look_up)
        self._draft_soon()
        self.save_soon()

    def _draft_soon(self) -> None:
        if self.session.drafts:
            self.later("draft", DRAFT_DELAY, lambda: self.jobs.draft(self._take_draft))

    def _take_draft(self, variants: Variants, choices: Choices) -> None:
        [draft] = variants.variants
        if draft.picture is not None:
            name = f"draft, {plural(self.jobs.draft_steps, 'step')}; g makes it in full"
            self.pane.take_draft(draft.picture, choices, name)

    def save_soon(self) -> None:
        """Save the session once keys are quiet."""
        self.later("save", SAVE_DELAY, self._save)

    def _save(self) -> None:
        work = partial(write_json_durably, self.config.session_file, saved.content(self.session))
        self.ask("save", work, failed=lambda error: self.warn(f"The session is not saved: {error}"))

    def read_input_soon(self) -> None:
        """Read the picture under the cursor, once it rests."""
        path = self.pictures.current
        if path is not None and str(path) not in self.session.failures:
            read, pane = partial(read_for_screen, path), self.pane
            takes = partial(pane.take_thumbnail, path), partial(pane.take_fault, path)
            self.later("thumbnail", THUMBNAIL_DELAY, partial(self.ask, "thumbnail", read, *takes))

    def read_result(self, path: Path) -> None:
        """Show a picture of a mixture that was made before."""

        def take(picture: Image.Image) -> None:
            if path == self.session.shown:
                self.pane.take_result(Result(path, picture, self.choices_of.get(path)))
                self.pane.compare(self.session.choices)
                self.pane.turn(to_mixture=True)

        self.ask("result", partial(read_for_screen, path), take, self.say_error)

    def later(self, name: str, seconds: float, call: Callable[[], object]) -> None:
        """Call after a moment, counted from the last time this was asked for."""
        if name in self._timers_by_name:
            self._timers_by_name[name].stop()
        self._timers_by_name[name] = self.set_timer(seconds, call)

    # Jobs

    def _tell(self, event: JobEvent) -> None:
        """Called on the engines' threads, which may outlive the loop by a moment."""
        try:
            self.post_message(JobReported(event))
        except RuntimeError:
            logging.getLogger("latmix").debug("an event came after the end: %s", event.job.name)

    def job_ended(self, said: str = "", looks_up: bool = False) -> None:
        self.pane.take_preview(None)
        self.say(said)
        self.show_all()
        self._draft_soon()
        if looks_up:
            self.later("recall", LOOK_UP_DELAY, self.jobs.look_up)

    def show_error(self, error: LatmixError) -> None:
        self.pane.take_preview(None)
        self.show_all()
        self.say(f"! {error.message}")
        text = f"{error.message}\n\n{error.hint}" if error.hint else error.message
        self.push_screen(NoticeDialog("That did not work", text))

    def say_error(self, error: LatmixError) -> None:
        self.say(str(error))

    def leave(self, code: int) -> None:
        """End now: jobs are asked to stop, and whoever ran the app waits for what must be kept."""
        self.work.follow(None)
        self.engines.cancel()
        self.exit(code, return_code=code)
