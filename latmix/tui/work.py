"""The jobs of a running explorer: what was asked of the two engine threads, and what became of it.

One engine owns the device; the other, the desk, reads folders and thumbnails, so that they never
wait behind an inversion. Both tell through one callback; `take` is called on the screen's thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latmix.jobs import browsing, history, weights
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
from latmix.jobs.variants import Wanted
from latmix.names import plural
from latmix.session import Choices, Session
from latmix.tui.album import Album

LOOKED_UP_AT_MOST = 256
"""Pictures of a mixture that are looked up unasked: looking up reads the whole files."""

FOREGROUND = ("invert", "generate", "compare")

NOUNS = {"invert": "inversion", "generate": "generation", "compare": "comparison"}

LONG = 30.0
"""Seconds after which the end of a job is worth a sound."""

Job = Generator[Progress, None, Any]


@dataclass(frozen=True)
class Asked:
    """A job in the foreground, with the state it was asked in and the pictures it is for."""

    job: int
    kind: str
    folder: Path | None
    choices: Choices
    paths: frozenset[str] = frozenset()


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
        self._album = Album(tell)
        self._paused_at: float | None = None
        self._began: float | None = None
        self._is_prepared = False
        self._is_warm = False
        self._next: Callable[[], None] | None = None
        self._recall: Asked | None = None
        self._draft: Asked | None = None
        self._last: dict[str, int] = {}
        self._wanted_model = session.model
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

    def read_tiles(self, paths: Iterable[Path]) -> None:
        """Small pictures for the list; those asked for before and not again are left."""
        self._album.want(paths)

    def read_weights_file(self, file: Path) -> None:
        pictures = list(self.session.pictures)
        self.ask("weights", lambda: weights.read_weights_file(file, pictures))

    def read_weights_text(self, text: str) -> None:
        pictures = list(self.session.pictures)
        self.ask("weights", lambda: weights.read_weights_text(text, pictures))

    def write_text(self, file: Path, text: str, what: str) -> None:
        self.ask("write", lambda: weights.write_text(file, text, what))

    def weigh(self) -> None:
        """Have the statistics of a mixture too large to compute at once."""
        live, method = self.session.live, self.session.choices.method
        if live is not None:
            row = self.session.weights_by_row()
            self.ask("weigh", lambda: weigh(live, row, method))

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

    def invert(self, then: Callable[[], None] | None = None) -> None:
        """Find the mixture's latents; `then` is called once all are there."""
        self._next = then
        order = self.session.order()
        self._begin("invert", lambda: self._studio.invert(order), order.paths)

    def generate(self) -> None:
        """Make the mixture's picture; inverts first where that is needed."""
        inversion = self.session.inversion
        if self.session.uninverted or inversion is None:
            self.invert(then=self.generate)
            return
        order = self.session.order()
        self._begin("generate", lambda: self._studio.generate(order, inversion))

    @property
    def queued(self) -> list[str]:
        """Pictures that came into the mixture while others are inverted; they go next."""
        if self.asked is None or self.asked.kind != "invert" or not self._is_current(self.asked):
            return []
        return [key for key in self.session.uninverted if key not in self.asked.paths]

    @property
    def is_paused(self) -> bool:
        return self._paused_at is not None

    def toggle_pause(self) -> bool:
        """Let the job in the foreground wait, or go on; False where there is none."""
        if self.asked is None or self.is_stopping:
            return False
        if self._paused_at is None:
            self._paused_at = time.monotonic()
            self._engine.pause(self.asked.job)
        else:
            self.pace.forgive(time.monotonic() - self._paused_at)
            self._paused_at = None
            self._engine.resume(self.asked.job)
        return True

    def has_taken_long(self, event: JobEvent) -> bool:
        """Whether this event, which was taken, ended work that went on for `LONG` seconds."""
        if event.kind not in FOREGROUND or self.is_busy or self._began is None:
            return False
        seconds, self._began = time.monotonic() - self._began, None
        return seconds >= LONG

    def compare(self, wanted: Sequence[Wanted], steps: int) -> None:
        """Make drafts of several mixtures; their pictures have latents."""
        order, inversion = self.session.order(), self.session.inversion
        if inversion is not None:
            self._begin("compare", lambda: self._studio.try_out(order, inversion, wanted, steps))

    def draft(self) -> None:
        """Make a draft of the mixture as it is, instead of one that is still being made."""
        self._drop_draft()
        session, mixture = self.session, self.session.mixture
        inversion, steps = session.inversion, session.draft_steps
        if self.is_busy or mixture is None or inversion is None or not session.is_measured:
            return
        order = session.order()
        wanted = [Wanted("draft", session.choices.method, mixture.as_dict())]
        job = self._engine.submit(
            "draft", lambda: self._studio.try_out(order, inversion, wanted, steps)
        )
        self._draft = Asked(job, "draft", session.folder, session.choices)

    def use_model(self, model: str) -> None:
        """Take another model; the session is told when it can be used."""
        self.stop()
        self._drop_recall()
        self._drop_draft()
        self._wanted_model = model
        self._engine.submit("model", lambda: self._studio.use(model))

    def follow_with(self, then: Callable[[], None]) -> bool:
        """Let the job at work be followed by another, instead of one that waited for that already;
        False where none is at work or it is being stopped."""
        if self.asked is None or self.is_stopping:
            return False
        self._next = then
        return True

    def stop(self) -> bool:
        """Stop the job in the foreground; False where there is none."""
        if self.asked is None:
            return False
        self._next = None
        self.is_stopping, self._paused_at = True, None
        self._engine.cancel(self.asked.job)
        return True

    def cancel_all(self) -> None:
        """Ask everything to stop, without waiting."""
        self._next = None
        self._desk.cancel()
        self._album.cancel()
        self._engine.cancel()

    @property
    def holds_latents(self) -> bool:
        """Whether an inversion was at work, whose finished latents may not be on disk yet."""
        return self.asked is not None and self.asked.kind == "invert"

    def close(self, seconds: float) -> bool:
        """End all threads; False where one is still in the middle of a step."""
        desk = self._desk.close(seconds) and self._album.close(seconds)
        return self._engine.close(seconds) and desk

    def _begin(self, kind: str, work: Callable[[], Job], paths: Iterable[Path] = ()) -> None:
        self._drop_recall()
        self._drop_draft()
        self.pace = Pace()
        self.progress = Progress(kind if self._is_warm else "prepare", 0, 0)
        self.is_stopping, self._paused_at = False, None
        self._began = time.monotonic() if self._began is None else self._began
        job = self._engine.submit(kind, work)
        session = self.session
        of = frozenset(str(path) for path in paths)
        self.asked = Asked(job, kind, session.folder, session.choices, of)

    def _drop_recall(self) -> None:
        if self._recall is not None:
            self._engine.cancel(self._recall.job)
            self._recall = None

    def _drop_draft(self) -> None:
        if self._draft is not None:
            self._engine.cancel(self._draft.job)
            self._draft = None

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
            self._paused_at = None
            self.ended = asked
        match event:
            case JobFinished(kind="prepare", result=Setting() as setting):
                self.setting = setting
                self._engine.submit("warm_up", self._studio.warm_up)
                return setting.note
            case JobFinished(kind="model", result=Setting() as setting):
                self.setting = setting
                self.session.use_model(self._wanted_model)
                self.forget_look_ups()
                return f"The model is {setting.model} on {setting.device} now. {setting.note}"
            case JobFinished(kind="generate" | "compare"):
                self._go_on()
            case JobFinished(kind="warm_up"):
                self._is_warm = True
            case JobFinished(kind="recall", result=Measured() as measured):
                self._take_recalled(event.job, measured)
            case JobFinished(kind="invert", result=Measured() as measured) if asked:
                return self._take_inverted(asked, measured)
            case JobCancelled(kind="invert" | "generate" | "compare" as kind):
                self.forget_look_ups()
                return f"Stopped the {NOUNS[kind]}; what was finished is kept."
            case JobFailed(kind="invert" | "generate" | "compare"):
                self._next = None
                self.forget_look_ups()
        return ""

    def is_wanted_draft(self, event: JobEvent) -> bool:
        """Whether it is the last draft asked for, of the mixture as it still is."""
        asked = self._draft
        return (
            asked is not None and asked.job == event.job and asked.choices == self.session.choices
        )

    def _go_on(self) -> None:
        """Begin what was to follow the job that has ended."""
        following, self._next = self._next, None
        if following is not None:
            following()

    def _take_recalled(self, job: int, measured: Measured) -> None:
        asked = self._recall
        if asked is not None and job == asked.job and self._is_current(asked):
            self._recall = None
            self._take_measured(measured)

    def _take_inverted(self, asked: Asked, measured: Measured) -> str:
        if not self._is_current(asked):
            self._next = None
            return "The settings changed meanwhile: i inverts under the new ones."
        inversion = measured.inversion
        self._take_measured(measured)
        fresh = len(inversion.rows) - inversion.cached
        said = f"{plural(fresh, 'picture')} inverted in {inversion.seconds:.1f} s"
        if inversion.cached:
            said += f", {inversion.cached:,} there already"
        if inversion.failures:
            said += f"; {plural(len(inversion.failures), 'picture')} left out (✗): F says why"
        if any(key not in asked.paths for key in self.session.uninverted):
            self.invert(self._next)
            return f"{said}; those added meanwhile are next."
        if self.session.is_measured:
            self._go_on()
        self._next = None
        return f"{said}."

    def _take_measured(self, measured: Measured) -> None:
        """What was found may be forgotten by an edit, and is looked up again after its undo."""
        self.session.measured(measured.inversion, measured.live)
        choices, seen = self._looked_up
        self._looked_up = (choices, seen - {str(row.path) for row in measured.inversion.rows})

    def _is_current(self, asked: Asked) -> bool:
        session = self.session
        return asked.folder == session.folder and asked.choices.same_latents(session.choices)
