"""The jobs of a running explorer: what was asked of the engine threads, and what became of it.

One engine owns the device, the other is the desk's; `take` is called on the screen's thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from latmix.jobs.engine import (
    JobCancelled,
    JobEvent,
    JobFailed,
    JobFinished,
    JobProgressed,
)
from latmix.jobs.progress import Pace, Progress
from latmix.jobs.screen.studio import Measured, Setting, Studio
from latmix.jobs.screen.variants import Wanted
from latmix.session.session import Session
from latmix.tui.work.asked import FOREGROUND, NOUNS, Asked, words_of
from latmix.tui.work.desk import Job
from latmix.tui.work.unasked import Unasked

LONG = 30.0
"""Seconds after which the end of a job is worth a sound."""


class Work(Unasked):
    """Submits jobs for a session, and brings their results into it."""

    def __init__(self, session: Session, studio: Studio, tell: Callable[[JobEvent], None]) -> None:
        super().__init__(session, studio, tell)
        self.setting: Setting | None = None
        self.progress: Progress | None = None
        self.pace = Pace()
        self.ended: Asked | None = None
        self.is_stopping = False
        self._paused_at: float | None = None
        self._began: float | None = None
        self._is_prepared = False
        self._is_warm = False
        self._next: Callable[[], None] | None = None
        self._wanted_model, self._next_for = session.model, session.choices

    def prepare(self) -> None:
        """Import torch and find the model; only the first call does.

        To be called once the desk has done something: while the system loads torch's libraries,
        the extension modules that the desk imports would wait for it, with Python's lock held.
        """
        if not self._is_prepared:
            self._is_prepared = True
            self._engine.submit("prepare", self._studio.prepare)

    def invert(self, then: Callable[[], None] | None = None) -> None:
        """Find the mixture's latents; `then` is called once all are there."""
        self._next, self._next_for = then, self.session.choices
        paths, choices = self.session.paths(), self.session.choices
        self._begin("invert", lambda: self._studio.invert(paths, choices), paths)

    def generate(self) -> None:
        """Make the mixture's picture; inverts first where that is needed."""
        inversion = self.session.inversion
        if self.session.uninverted or inversion is None:
            self.invert(then=self.generate)
            return
        choices = self.session.choices
        self._begin("generate", lambda: self._studio.generate(choices, inversion))

    @property
    def queued(self) -> list[str]:
        """Pictures that came into the mixture while others are inverted; they go next."""
        if self.asked is None or self.asked.kind != "invert" or not self.asked.is_for(self.session):
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
        choices, inversion = self.session.choices, self.session.inversion
        if inversion is not None:
            work = partial(self._studio.try_out, choices, inversion, wanted, steps)
            self._begin("compare", work)

    def use_model(self, model: str) -> None:
        """Take another model; the session is told when it can be used."""
        self.stop()
        self._drop_unasked()
        self._wanted_model = model
        self._engine.submit("model", lambda: self._studio.use(model))

    def follow_with(self, then: Callable[[], None]) -> bool:
        """Let the job at work be followed by another, instead of one that waited for that already;
        False where none is at work or it is being stopped."""
        if self.asked is None or self.is_stopping:
            return False
        self._next, self._next_for = then, self.session.choices
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
        self._drop_unasked()
        self.pace = Pace()
        self.progress = Progress(kind if self._is_warm else "prepare", 0, 0)
        self.is_stopping, self._paused_at = False, None
        self._began = time.monotonic() if self._began is None else self._began
        job = self._engine.submit(kind, work)
        session, of = self.session, frozenset(map(str, paths))
        self.asked = Asked(job, kind, session.folder, session.choices, of)

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
            self.asked, self.progress, self.ended = None, None, asked
            self.is_stopping, self._paused_at = False, None
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

    def _go_on(self) -> None:
        """Begin what was to follow the job that has ended."""
        following, self._next = self._next, None
        if following is not None:
            following()

    def _take_inverted(self, asked: Asked, measured: Measured) -> str:
        if not asked.is_for(self.session):
            if self._next is not None and self._next_for.same_latents(self.session.choices):
                self._go_on()
                return "The settings changed meanwhile: the pictures are inverted anew."
            self._next = None
            return "The settings changed meanwhile: i inverts under the new ones."
        self._take_measured(measured)
        said = words_of(measured.inversion)
        if any(key not in asked.paths for key in self.session.uninverted):
            self.invert(self._next)
            return f"{said}; those added meanwhile are next."
        if self.session.is_measured:
            self._go_on()
        self._next = None
        return f"{said}."
