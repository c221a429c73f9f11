"""The engine: one thread that owns the device, runs jobs one after the other, and can be stopped.

A job is a generator of `Progress`. Between two of its steps the engine looks whether it should
stop; if so it closes the generator, whose `finally` blocks keep what was finished. What happens is
told through one callback, called on the engine's thread. Needs no torch.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from latmix.errors import LatmixError
from latmix.jobs.progress import Progress

REPORT_SECONDS = 0.1
"""At most ten progress reports a second within a phase: no screen needs more."""

Work = Callable[[], Generator[Progress, None, Any]]


@dataclass(frozen=True)
class JobEvent:
    """Something happened to a job.

    Attributes:
        job: its number, as `submit` gave it.
        kind: what sort of job it is, as `submit` was told.
    """

    job: int
    kind: str


@dataclass(frozen=True)
class JobProgressed(JobEvent):
    progress: Progress


@dataclass(frozen=True)
class JobFinished(JobEvent):
    result: Any


@dataclass(frozen=True)
class JobFailed(JobEvent):
    error: LatmixError


@dataclass(frozen=True)
class JobCancelled(JobEvent):
    pass


@dataclass(frozen=True)
class _Order:
    job: int
    kind: str
    work: Work
    stop: threading.Event
    go: threading.Event


class Engine:
    """Runs submitted jobs in order on its own thread, until it is closed."""

    def __init__(self, tell: Callable[[JobEvent], None]) -> None:
        self._tell = tell
        self._orders: queue.Queue[_Order | None] = queue.Queue()
        self._open: dict[int, _Order] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._thread = threading.Thread(target=self._run, name="latmix-engine", daemon=True)
        self._thread.start()

    def submit(self, kind: str, work: Work) -> int:
        """Queue a job; returns its number. `work` is called on the engine's thread."""
        with self._lock:
            self._count += 1
            order = _Order(self._count, kind, work, threading.Event(), threading.Event())
            order.go.set()
            self._open[order.job] = order
        self._orders.put(order)
        return order.job

    @property
    def is_busy(self) -> bool:
        with self._lock:
            return bool(self._open)

    def cancel(self, job: int | None = None) -> None:
        """Stop a job (None: all of them) before its next step; one that has ended is left alone."""
        with self._lock:
            orders = [o for o in self._open.values() if job is None or o.job == job]
        for order in orders:
            order.stop.set()
            order.go.set()

    def pause(self, job: int) -> None:
        """Let a job wait before its next step; the jobs after it wait with it."""
        self._let_go(job, False)

    def resume(self, job: int) -> None:
        """Let a paused job go on."""
        self._let_go(job, True)

    def _let_go(self, job: int, goes: bool) -> None:
        with self._lock:
            order = self._open.get(job)
        if order is None or order.stop.is_set():
            return
        if goes:
            order.go.set()
        else:
            order.go.clear()
            if order.stop.is_set():  # cancelled meanwhile, which has the last word
                order.go.set()

    def close(self, seconds: float = 5.0) -> bool:
        """Stop everything and end the thread; False where a step took longer than `seconds`."""
        self.cancel()
        self._orders.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (order := self._orders.get()) is not None:
            ending = self._ended(order)
            with self._lock:
                del self._open[order.job]
            self._tell(ending)

    def _ended(self, order: _Order) -> JobEvent:
        """Run one job to its end, whichever that is: a border where anything is caught."""
        try:
            return self._advance(order)
        except LatmixError as error:
            return JobFailed(order.job, order.kind, error)
        except ValueError as error:
            return JobFailed(order.job, order.kind, LatmixError(str(error)))
        except Exception as error:
            logging.getLogger("latmix").exception("the job %s failed", order.kind)
            told = LatmixError(
                f"{order.kind} failed: {type(error).__name__}: {error}",
                "The log file has the details (latmix doctor says where).",
            )
            return JobFailed(order.job, order.kind, told)

    def _advance(self, order: _Order) -> JobEvent:
        if order.stop.is_set():
            return JobCancelled(order.job, order.kind)
        generator = order.work()
        told_at, phase = 0.0, ""
        try:
            while True:
                try:
                    progress = next(generator)
                except StopIteration as stop:
                    return JobFinished(order.job, order.kind, stop.value)
                order.go.wait()
                if order.stop.is_set():
                    return JobCancelled(order.job, order.kind)
                now = time.monotonic()
                is_due = now - told_at >= REPORT_SECONDS or progress.phase != phase
                if is_due or progress.preview is not None:
                    told_at, phase = now, progress.phase
                    self._tell(JobProgressed(order.job, order.kind, progress))
        finally:
            generator.close()
