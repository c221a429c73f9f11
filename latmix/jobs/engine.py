"""The engine: one thread that runs jobs one after the other, each of which can be stopped.

A job is a generator of `Progress`, or a function that is done at once. Between two of its steps the
engine looks whether it should stop; if so it closes the generator, whose `finally` blocks keep what
was finished. A job brings its own answer: the functions that whoever asked wants called. What
happens is told through one callback, called on the engine's thread; `JobEvent.answer` is to be
called on the thread that the answers are for. Needs no torch.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from latmix.errors import LatmixError
from latmix.jobs.progress import Progress

REPORT_SECONDS = 0.1
"""At most ten progress reports a second within a phase: no screen needs more."""

Result = TypeVar("Result")


def ignore(*_: object) -> None:
    """The answer of those who want none."""


@dataclass(eq=False)
class Job(Generic[Result]):
    """Something asked of an engine, and who is to be told.

    Attributes:
        name: for the log, and for the sentence where it fails in a way that nobody foresaw.
        work: called on the engine's thread.
        done, failed, stopped, progressed: called by `JobEvent.answer`.
        group: of the jobs of a group only the last one is wanted; "" is none.
    """

    name: str
    work: Callable[[], Generator[Progress, None, Result] | Result]
    done: Callable[[Result], object] = ignore
    failed: Callable[[LatmixError], object] = ignore
    stopped: Callable[[], object] = ignore
    progressed: Callable[[Progress], object] = ignore
    group: str = ""
    is_dropped: bool = field(default=False, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _go: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        self._go.set()

    def stop(self) -> None:
        """End it before its next step; one that has ended is left alone."""
        self._stop.set()
        self._go.set()

    def drop(self) -> None:
        """Stop it, and let no answer come any more."""
        self.is_dropped = True
        self.stop()

    def pause(self) -> None:
        """Let it wait before its next step; the jobs after it wait with it."""
        self._go.clear()
        if self._stop.is_set():  # stopped meanwhile, which has the last word
            self._go.set()

    def resume(self) -> None:
        """Let it go on."""
        self._go.set()

    def goes_on(self) -> bool:
        """Called between two steps: waits while it is paused; False where it is to stop."""
        self._go.wait()
        return not self._stop.is_set()


@dataclass(frozen=True)
class JobEvent:
    """Something happened to a job."""

    job: Job[Any]

    def answer(self) -> None:
        """Tell whoever asked, unless the job was dropped."""
        if not self.job.is_dropped:
            self._tell()

    def _tell(self) -> object:
        return self.job.stopped()


@dataclass(frozen=True)
class JobProgressed(JobEvent):
    progress: Progress

    def _tell(self) -> object:
        return self.job.progressed(self.progress)


@dataclass(frozen=True)
class JobFinished(JobEvent):
    result: Any

    def _tell(self) -> object:
        return self.job.done(self.result)


@dataclass(frozen=True)
class JobFailed(JobEvent):
    error: LatmixError

    def _tell(self) -> object:
        return self.job.failed(self.error)


@dataclass(frozen=True)
class JobCancelled(JobEvent):
    pass


class Engine:
    """Runs submitted jobs in order on its own thread, until it is closed."""

    def __init__(self, tell: Callable[[JobEvent], None]) -> None:
        self._tell = tell
        self._queue: queue.Queue[Job[Any] | None] = queue.Queue()
        self._open: set[Job[Any]] = set()
        self._last: dict[str, Job[Any]] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="latmix-engine", daemon=True)
        self._thread.start()

    def submit(self, job: Job[Result]) -> Job[Result]:
        """Queue a job; the one before it of its group is dropped."""
        if job.group:
            self.drop(job.group)
            self._last[job.group] = job
        with self._lock:
            self._open.add(job)
        self._queue.put(job)
        return job

    def drop(self, *groups: str) -> None:
        """Let no answer come from jobs of these groups, even if they are done."""
        for group in groups:
            if (job := self._last.pop(group, None)) is not None:
                job.drop()

    def cancel(self) -> None:
        """Stop all jobs before their next step."""
        with self._lock:
            jobs = list(self._open)
        for job in jobs:
            job.stop()

    def close(self, seconds: float = 5.0) -> bool:
        """Stop everything and end the thread; False where a step took longer than `seconds`."""
        self.cancel()
        self._queue.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            ending = self._ended(job)
            with self._lock:
                self._open.remove(job)
            self._tell(ending)

    def _ended(self, job: Job[Any]) -> JobEvent:
        """Run one job to its end, whichever that is: a border where anything is caught."""
        try:
            return self._advance(job)
        except LatmixError as error:
            return JobFailed(job, error)
        except ValueError as error:
            return JobFailed(job, LatmixError(str(error)))
        except Exception as error:
            logging.getLogger("latmix").exception("the job %s failed", job.name)
            unforeseen = LatmixError(
                f"{job.name} failed: {type(error).__name__}: {error}",
                "The log file has the details (latmix doctor says where).",
            )
            return JobFailed(job, unforeseen)

    def _advance(self, job: Job[Any]) -> JobEvent:
        if not job.goes_on():
            return JobCancelled(job)
        steps = job.work()
        if not isinstance(steps, Generator):
            return JobFinished(job, steps)
        last_report, phase = 0.0, ""
        try:
            while True:
                progress = next(steps)
                if not job.goes_on():
                    return JobCancelled(job)
                now = time.monotonic()
                is_due = now - last_report >= REPORT_SECONDS or progress.phase != phase
                if is_due or progress.preview is not None:
                    last_report, phase = now, progress.phase
                    self._tell(JobProgressed(job, progress))
        except StopIteration as stop:
            return JobFinished(job, stop.value)
        finally:
            steps.close()
