"""The job that the user waits for: how far it is, whether it rests or is stopped, what follows it.

Everything here happens on the screen's thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from latmix.errors import LatmixError
from latmix.jobs.engine import Job
from latmix.jobs.progress import Pace, Progress
from latmix.session.choices import Choices
from latmix.session.session import Session

LONG = 30.0
"""Seconds after which the end of a job is worth a sound."""


class Onlooker(Protocol):
    """The screen, as far as it is told about jobs."""

    def show_job(self) -> None:
        """The job at work has begun, goes on, or is being stopped."""

    def job_ended(self, said: str = "", looks_up: bool = False) -> None:
        """What it has found, if anything, is in the session.

        Args:
            looks_up: whether latents may be there that the session does not know.
        """

    def show_error(self, error: LatmixError) -> None: ...

    def say_error(self, error: LatmixError) -> None:
        """Nobody asked for it: a line is enough."""

    def bell(self) -> None: ...


@dataclass(frozen=True)
class Request:
    """What a job was asked for: the settings of then, and the pictures that it inverts, if any."""

    folder: Path | None
    choices: Choices
    paths: frozenset[str]

    @staticmethod
    def now(session: Session, paths: Iterable[Path] = ()) -> Request:
        return Request(session.folder, session.choices, frozenset(map(str, paths)))

    def is_for(self, session: Session) -> bool:
        """Whether the session still wants such latents, of that folder."""
        return self.folder == session.folder and self.choices.same_latents(session.choices)


class Work:
    """At most one job at a time, and what is to follow it."""

    def __init__(self, session: Session, onlooker: Onlooker) -> None:
        self.job: Job[Any] | None = None
        self.progress: Progress | None = None
        self.pace = Pace()
        self.is_stopping = False
        self._session, self._onlooker = session, onlooker
        self._request = Request.now(session)
        self.following: Callable[[], object] | None = None
        self._following_for = session.choices
        self._paused_at: float | None = None
        self._began: float | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a job that the user asked for is under way."""
        return self.job is not None

    @property
    def is_inverting(self) -> bool:
        return self.is_busy and bool(self._request.paths)

    @property
    def is_paused(self) -> bool:
        return self._paused_at is not None

    @property
    def queued(self) -> list[str]:
        """Pictures that came into the mixture while others are inverted; they go next."""
        if not self.is_inverting or not self._request.is_for(self._session):
            return []
        return [key for key in self._session.uninverted if key not in self._request.paths]

    def begin(self, job: Job[Any], request: Request, first: Progress) -> None:
        """A job is given to the engine."""
        self.job, self._request = job, request
        self.progress, self.pace = first, Pace()
        self.is_stopping, self._paused_at = False, None
        self._began = time.monotonic() if self._began is None else self._began
        self._onlooker.show_job()

    def take_progress(self, progress: Progress) -> None:
        self.progress = progress
        self.pace.update(progress)
        self._onlooker.show_job()

    @contextmanager
    def ending(self) -> Iterator[None]:
        """The job has ended; within, its answer is taken, and another may begin."""
        self.job = self.progress = None
        self.is_stopping, self._paused_at = False, None
        yield
        if self._began is not None and not self.is_busy:
            seconds, self._began = time.monotonic() - self._began, None
            if seconds >= LONG:
                self._onlooker.bell()

    def follow_with(self, then: Callable[[], object]) -> bool:
        """Let the job at work be followed by another, instead of one that waited for that already;
        False where none is at work or it is being stopped."""
        if not self.is_busy or self.is_stopping:
            return False
        self.follow(then)
        return True

    def follow(self, then: Callable[[], object] | None) -> None:
        """Let a job be followed by another, or by none."""
        self.following, self._following_for = then, self._session.choices

    @property
    def is_followed(self) -> bool:
        """Whether what is to follow was asked for under the settings of now."""
        is_current = self._following_for.same_latents(self._session.choices)
        return self.following is not None and is_current

    def go_on(self) -> None:
        """Begin what was to follow."""
        following, self.following = self.following, None
        if following is not None:
            following()

    def stop(self) -> bool:
        """Stop the job, and what was to follow it; False where there is none."""
        if self.job is None:
            return False
        self.following = None
        self.is_stopping, self._paused_at = True, None
        self.job.stop()
        self._onlooker.show_job()
        return True

    def toggle_pause(self) -> bool:
        """Let the job wait, or go on; False where there is none."""
        if self.job is None or self.is_stopping:
            return False
        if self._paused_at is None:
            self._paused_at = time.monotonic()
            self.job.pause()
        else:
            self.pace.forgive(time.monotonic() - self._paused_at)
            self._paused_at = None
            self.job.resume()
        self._onlooker.show_job()
        return True
