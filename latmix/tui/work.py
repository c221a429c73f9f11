"""The jobs of a running explorer: what was asked of the two engine threads, and what became of it.

One engine owns the device; the other, the desk, reads folders and thumbnails, so that they never
wait behind an inversion. Both tell through one callback; `take` is called on the screen's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latmix.jobs import browsing, history
from latmix.jobs.engine import (
    Engine,
    JobCancelled,
    JobEvent,
    JobFailed,
    JobFinished,
    JobProgressed,
)
from latmix.jobs.progress import Pace, Progress
from latmix.jobs.studio import Measured, Setting, Studio, weigh
from latmix.names import plural
from latmix.session import Choices, Session

LOOKED_UP_AT_MOST = 256
"""Pictures of a mixture that are looked up unasked: looking up reads the whole files."""

FOREGROUND = ("invert", "generate")

Job = Generator[Progress, None, Any]


@dataclass(frozen=True)
class Asked:
    """A job in the foreground, with the state it was asked in."""

    job: int
    kind: str
    folder: Path | None
    choices: Choices


class Work:
    """Submits jobs for a session, and brings their results into it."""

    def __init__(self, session: Session, studio: Studio, tell: Callable[[JobEvent], None]) -> None:
        self.session = session
        self.setting: Setting | None = None
        self.progress: Progress | None = None
        self.pace = Pace()
        self.asked: Asked | None = None
        self.ended: Asked | None = None
        self.is_stopping = False
        self.is_scanning = False
        self._studio = studio
        self._engine = Engine(tell)
        self._desk = Engine(tell)
        self._is_prepared = False
        self._is_warm = False
        self._generate_next = False
        self._recall: Asked | None = None
        self._last: dict[str, int] = {}
        self._looked_up: tuple[Choices, set[str]] = (session.choices, set())

    # Asking

    @property
    def is_busy(self) -> bool:
        """Whether a job that the user asked for is under way."""
        return self.asked is not None

    def prepare(self) -> None:
        """Import torch and find the model; only the first call does.

        To be called once the desk has done something: while the system loads torch's libraries,
        the extension modules that the desk imports would wait for it, with Python's lock held.
        """
        if not self._is_prepared:
            self._is_prepared = True
            self._engine.submit("prepare", self._studio.prepare)

    def scan(self, folder: Path, recursive: bool, prompt: str | None) -> None:
        self.is_scanning = True
        self.ask("scan", lambda: browsing.scan_pictures(folder, recursive, prompt))

    def list_folders(self, folder: Path | None) -> None:
        """None: the built-in ones."""
        if folder is None:
            self._desk.submit("list", browsing.list_built_in)
        else:
            self._desk.submit("list", lambda: browsing.list_folders(folder))

    def read_thumbnail(self, path: Path) -> None:
        self.ask("thumbnail", lambda: browsing.read_thumbnail(path))

    def read_result(self, path: Path) -> None:
        """A picture of a mixture that was made before, with its recipe."""
        self.ask("result", lambda: history.look_at(path))

    def save(self, path: Path) -> None:
        content = self.session.content()
        self.ask("save", lambda: browsing.save_session(path, content))

    def weigh(self) -> None:
        """Have the statistics of a mixture too large to compute at once."""
        live, method = self.session.live, self.session.choices.method
        if live is not None:
            weights = self.session.weights_by_row()
            self.ask("weigh", lambda: weigh(live, weights, method))

    def is_wanted(self, event: JobEvent) -> bool:
        """Whether no newer job of its kind was asked of the desk."""
        return self._last.get(event.kind) == event.job

    def ask(self, kind: str, job: Callable[[], Job]) -> None:
        """Have the desk do something of which only the last one asked for is wanted."""
        if kind in self._last:
            self._desk.cancel(self._last[kind])
        self._last[kind] = self._desk.submit(kind, job)

    def recall(self) -> None:
        """Look up pictures of the mixture that may have latents, once under each setting."""
        session = self.session
        choices, seen = self._looked_up
        if not choices.same_latents(session.choices):
            seen = set()
        missing = [key for key in session.uninverted if key not in seen]
        self._looked_up = (session.choices, seen | set(missing))
        if not missing or self.is_busy or len(missing) > LOOKED_UP_AT_MOST:
            return
        self._drop_recall()
        order = session.order()
        job = self._engine.submit("recall", lambda: self._studio.recall(order))
        self._recall = Asked(job, "recall", session.folder, session.choices)

    def forget_look_ups(self) -> None:
        """Look the pictures up again when next asked to."""
        self._looked_up = (self.session.choices, set())

    def invert(self, then_generate: bool = False) -> None:
        self._generate_next = then_generate
        order = self.session.order()
        self._begin("invert", lambda: self._studio.invert(order))

    def generate(self) -> None:
        """Make the mixture's picture; inverts first where that is needed."""
        inversion = self.session.inversion
        if self.session.uninverted or inversion is None:
            self.invert(then_generate=True)
            return
        order = self.session.order()
        self._begin("generate", lambda: self._studio.generate(order, inversion))

    def generate_after_inversion(self) -> bool:
        """Let the inversion at work be followed by a picture; False where none is at work."""
        if self.asked is None or self.asked.kind != "invert" or self.is_stopping:
            return False
        self._generate_next = True
        return True

    def stop(self) -> bool:
        """Stop the job in the foreground; False where there is none."""
        if self.asked is None:
            return False
        self._generate_next = False
        self.is_stopping = True
        self._engine.cancel(self.asked.job)
        return True

    def cancel_all(self) -> None:
        """Ask everything to stop, without waiting."""
        self._generate_next = False
        self._desk.cancel()
        self._engine.cancel()

    @property
    def holds_latents(self) -> bool:
        """Whether an inversion was at work, whose finished latents may not be on disk yet."""
        return self.asked is not None and self.asked.kind == "invert"

    def close(self, seconds: float) -> bool:
        """End both threads; False where one is still in the middle of a step."""
        desk = self._desk.close(seconds)
        return self._engine.close(seconds) and desk

    def _begin(self, kind: str, work: Callable[[], Job]) -> None:
        self._drop_recall()
        self.pace = Pace()
        self.progress = Progress(kind if self._is_warm else "prepare", 0, 0)
        self.is_stopping = False
        job = self._engine.submit(kind, work)
        self.asked = Asked(job, kind, self.session.folder, self.session.choices)

    def _drop_recall(self) -> None:
        if self._recall is not None:
            self._engine.cancel(self._recall.job)
            self._recall = None

    # Taking

    def take(self, event: JobEvent) -> str:
        """Bring an engine's event into the session; returns what to say, or nothing."""
        if isinstance(event, JobProgressed):
            if self.asked is not None and event.job == self.asked.job and event.kind in FOREGROUND:
                self.progress = event.progress
                self.pace.update(event.progress)
            return ""
        if event.kind == "scan" and self.is_wanted(event):
            self.is_scanning = False
        asked = self.asked if event.kind in FOREGROUND else None
        if asked is not None:
            self.asked, self.progress, self.is_stopping = None, None, False
            self.ended = asked
        match event:
            case JobFinished(kind="prepare", result=Setting() as setting):
                self.setting = setting
                self._engine.submit("warm_up", self._studio.warm_up)
                return setting.note
            case JobFinished(kind="warm_up"):
                self._is_warm = True
            case JobFinished(kind="recall", result=Measured() as measured):
                self._take_recalled(event.job, measured)
            case JobFinished(kind="invert", result=Measured() as measured) if asked:
                return self._take_inverted(asked, measured)
            case JobCancelled(kind="invert" | "generate" as kind):
                self.forget_look_ups()
                what = "inversion" if kind == "invert" else "generation"
                return f"Stopped the {what}; what was finished is kept."
            case JobFailed(kind="invert" | "generate"):
                self.forget_look_ups()
        return ""

    def _take_recalled(self, job: int, measured: Measured) -> None:
        asked = self._recall
        if asked is not None and job == asked.job and self._is_current(asked):
            self._recall = None
            self._take_measured(measured)

    def _take_inverted(self, asked: Asked, measured: Measured) -> str:
        if not self._is_current(asked):
            return "The settings changed meanwhile: i inverts under the new ones."
        inversion = measured.inversion
        self._take_measured(measured)
        fresh = len(inversion.rows) - inversion.cached
        said = f"{plural(fresh, 'picture')} inverted in {inversion.seconds:.1f} s"
        if inversion.cached:
            said += f", {inversion.cached:,} there already"
        if inversion.failures:
            said += f"; {plural(len(inversion.failures), 'picture')} left out (✗)"
        if self._generate_next and self.session.is_measured:
            self.generate()
        self._generate_next = False
        return f"{said}."

    def _take_measured(self, measured: Measured) -> None:
        """What was found may be forgotten by an edit, and is looked up again after its undo."""
        self.session.measured(measured.inversion, measured.live)
        choices, seen = self._looked_up
        self._looked_up = (choices, seen - {str(row.path) for row in measured.inversion.rows})

    def _is_current(self, asked: Asked) -> bool:
        session = self.session
        return asked.folder == session.folder and asked.choices.same_latents(session.choices)
