"""What is on the screen, and how it is drawn from the session: the lowest layer of the app."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Footer, Static

from latmix.config import Config
from latmix.errors import LatmixError
from latmix.jobs.engine import JobEvent
from latmix.jobs.screen.studio import Studio
from latmix.names import display_name, plural
from latmix.session.choices import Choices
from latmix.session.session import Session
from latmix.tui.keys.keymap import Keymap
from latmix.tui.listing.arrangement import Heading
from latmix.tui.listing.filter_line import FilterLine
from latmix.tui.listing.list_status import ListStatus
from latmix.tui.listing.picture_header import PictureHeader
from latmix.tui.listing.picture_list import PictureList
from latmix.tui.messages import JobReported
from latmix.tui.numbers.statistics_panel import StatisticsPanel, advice_for
from latmix.tui.pictures.history_strip import HistoryStrip
from latmix.tui.pictures.picture_pane import PicturePane
from latmix.tui.terminal.garbage import Garbage
from latmix.tui.terminal.opening import TOO_SMALL
from latmix.tui.terminal.themes import PLAIN, Themes
from latmix.tui.terminal.type_ahead import TypeAheadApp
from latmix.tui.title_line import TitleLine
from latmix.tui.work.job_line import JobLine
from latmix.tui.work.work import Work

SAVE_DELAY = 2.0
LOOK_UP_DELAY = 0.3
DRAFT_DELAY = 0.25
COLLECT_EVERY = 1.0
EMOJI_NOTE = "The built-in model knows emoji only: M chooses another."


@dataclass(frozen=True)
class Start:
    """What the explorer starts with.

    Attributes:
        session: new or resumed.
        folder: to open; None asks for one.
        count: pictures of a new mixture.
        is_resumed: whether the session is an earlier one.
        is_plain: no colours, whatever the theme.
        pixels: a widget that shows pictures in pixels, where the terminal can.
        keymap: the user's own keys, checked.
        notes: to say first.
    """

    config: Config
    session: Session
    studio: Studio
    themes: Themes
    folder: Path | None
    count: int = 8
    is_resumed: bool = False
    is_plain: bool = False
    pixels: type[Widget] | None = None
    keymap: Keymap = field(default_factory=lambda: Keymap({}))
    notes: tuple[str, ...] = ()


class Explorer(TypeAheadApp):
    """Composes the screen and draws the session on it."""

    CSS_PATH = "explore.tcss"
    TITLE = "latmix"
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (60, "-narrow"), (80, "-middle"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (20, "-low"), (24, "-usual"), (34, "-tall")]

    def __init__(self, start: Start) -> None:
        super().__init__(ansi_color=True if start.is_plain else None)
        self.start = start
        # A page that glides is a dozen paints, which a slow link has to carry.
        self.animation_level = "none"
        self.config, self.session = start.config, start.session
        self.choices_of: dict[Path, Choices] = {}
        for theme in start.themes.loaded:
            self.register_theme(theme)
        wanted = (start.config.theme, start.session.theme)
        self.theme = PLAIN if start.is_plain else start.themes.find(*wanted)
        self.set_keymap(dict(start.keymap.keys))
        self.work = Work(start.session, start.studio, self._tell)
        self._timers_by_name: dict[str, Timer] = {}
        self._footer_is_busy = False
        self.garbage = Garbage()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What Textual's own style sheets ask for and an ansi theme need not name."""
        return {"ansi-background": "ansi_default", "ansi-foreground": "ansi_default"}

    def compose(self) -> ComposeResult:
        yield TitleLine()
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield PictureHeader(id="header", markup=False)
                yield FilterLine()
                yield PictureList(self.session, self.clear_marks_or_filter)
                yield ListStatus()
            with Vertical(id="right"):
                yield PicturePane(self.start.pixels)
                yield HistoryStrip(self.session)
                yield StatisticsPanel()
        yield JobLine()
        yield Footer()
        yield Static(TOO_SMALL, id="too-small", markup=False)

    def set_tooltips(self) -> None:
        """What each part of the screen is, for those who point at it."""
        for widget, words in (
            (TitleLine, "The folder, how many pictures are mixed, the method, model and device."),
            (PicturePane, "The mixture's picture, or the one under the cursor: v turns."),
            (StatisticsPanel, "What the mixture's numbers say, before a picture is made."),
            (JobLine, "The job at work, or what happened last."),
        ):
            self.screen_stack[0].query_one(widget).tooltip = words

    def _tell(self, event: JobEvent) -> None:
        """Called on the engines' threads, which may outlive the loop by a moment."""
        try:
            self.post_message(JobReported(event))
        except RuntimeError:
            logging.getLogger("latmix").debug("an event came after the end: %s", event.kind)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self.garbage.touch()
        await super().on_event(event)

    def takes_letters(self) -> bool:
        return not self.is_ending and self.pictures.is_filtering

    def clear_marks_or_filter(self) -> bool:
        """What escape does in the list while nothing is at work."""
        raise NotImplementedError

    @property
    def is_ending(self) -> bool:
        """Whether the screen is being taken down; threads may report until the very end."""
        return not self.screen_stack or not self.screen_stack[0].query(JobLine)

    @property
    def pictures(self) -> PictureList:
        return self.screen_stack[0].query_one(PictureList)

    @property
    def pane(self) -> PicturePane:
        return self.screen_stack[0].query_one(PicturePane)

    @property
    def job_line(self) -> JobLine:
        return self.screen_stack[0].query_one(JobLine)

    def show_all(self) -> None:
        """Draw the session and the work anew."""
        self.pictures.show_session()
        self.screen_stack[0].query_one(HistoryStrip).show()
        self.show_list_status()
        self.screen_stack[0].query_one(TitleLine).show(self.session, self.work.setting)
        self.show_statistics()
        self.show_input()
        self.pane.compare(self.session.choices)
        self.show_job()

    def show_filter(self) -> None:
        """The words that names must have."""
        line = self.screen_stack[0].query_one(FilterLine)
        line.show(self.pictures.arrangement.words, self.pictures.is_filtering)

    def show_list_status(self) -> None:
        """The counts under the list."""
        status = self.screen_stack[0].query_one(ListStatus)
        status.show(self.session, self.pictures.arrangement)

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
        if self.work.is_scanning:
            return "reading…"
        if isinstance(row, Heading):
            count = plural(row.count, "picture")
            return f"{display_name(row.folder.name)}: {count}\n\nenter or z folds it, a marks them."
        return "No picture has these words: esc shows all." if self.session.pictures else ""

    def show_statistics(self) -> None:
        """The mixture's numbers; of very many pictures they come later, from a job."""
        session = self.session
        panel = self.screen_stack[0].query_one(StatisticsPanel)
        try:
            if session.live is not None and session.is_measured and not session.live.is_instant:
                self.work.weigh()
            else:
                panel.show(session.statistics(), self._advice())
        except (ValueError, LatmixError) as error:
            panel.show(None, f"! {error}")

    def _advice(self) -> str:
        if not self.session.pictures:
            return ""
        setting = self.work.setting
        note = EMOJI_NOTE if setting is not None and setting.is_built_in else ""
        mixed = len(self.session.mixture) if self.session.mixture else 0
        is_inverting = self.work.asked is not None and self.work.asked.kind == "invert"
        return advice_for(len(self.session.uninverted), mixed, note, is_inverting)

    def show_job(self) -> None:
        """The job at work, with the keys that go with it."""
        work = self.work
        for line in (line for screen in self.screen_stack for line in screen.query(JobLine)):
            line.show_job(
                work.progress, work.pace, work.is_stopping, work.is_paused, len(work.queued)
            )
        if self.work.is_busy != self._footer_is_busy:
            self._footer_is_busy = self.work.is_busy
            self.refresh_bindings()
            self.show_statistics()

    def say(self, text: str) -> None:
        """A line about what just happened."""
        if text:
            self.job_line.say(text)

    def warn(self, text: str) -> None:
        """Something that must not be overlooked."""
        self.notify(text, severity="warning", timeout=10, markup=False)

    def changed(self, what: str = "") -> None:
        """The session was edited: show it, look for latents, and save it once keys are quiet."""
        self.say(what)
        self.show_all()
        self.look_up_soon()
        self.draft_soon()
        self.save_soon()

    def draft_soon(self) -> None:
        """Where drafts are on, make one once keys are quiet."""
        if self.session.drafts:
            self.later("draft", DRAFT_DELAY, self.work.draft)

    def save_soon(self) -> None:
        """Save the session once keys are quiet."""
        self.later("save", SAVE_DELAY, lambda: self.work.save(self.config.session_file))

    def look_up_soon(self) -> None:
        """Find latents that are there already, once keys are quiet."""
        self.later("recall", LOOK_UP_DELAY, self.work.recall)

    def later(self, name: str, seconds: float, call: Callable[[], object]) -> None:
        """Call after a moment, counted from the last time this was asked for."""
        if name in self._timers_by_name:
            self._timers_by_name[name].stop()
        self._timers_by_name[name] = self.set_timer(seconds, call)
