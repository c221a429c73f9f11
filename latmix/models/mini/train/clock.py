"""When a training run stops, saves and reports."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """When a run ends before its plan does, and how often it reports.

    Attributes:
        seconds: of this run.
        steps: of this run.
        save_every: seconds between checkpoints.
        log_every: steps between lines of the log.
    """

    seconds: float = math.inf
    steps: float = math.inf
    save_every: float = 120.0
    log_every: int = 50


class Clock:
    """The time of one run, and what is due."""

    def __init__(self, spent: float, limits: Limits, step: int) -> None:
        self._limits, self._first_step, self._logged_step = limits, step, step
        self._begin = self._marked = self._logged = self._saved = time.monotonic()
        self._spent = spent

    def spent(self) -> float:
        return self._spent + time.monotonic() - self._begin

    def is_over(self, step: int) -> bool:
        late = time.monotonic() - self._begin >= self._limits.seconds
        return late or step - self._first_step >= self._limits.steps

    def mark(self) -> None:
        self._marked = time.monotonic()

    def since_mark(self) -> float:
        return max(1e-6, time.monotonic() - self._marked)

    def steps_since_log(self, step: int) -> int:
        count, self._logged_step = step - self._logged_step, step
        return max(1, count)

    def seconds_since_log(self) -> float:
        before, self._logged = self._logged, time.monotonic()
        return max(1e-6, self._logged - before)

    def wants_save(self) -> bool:
        if time.monotonic() - self._saved < self._limits.save_every:
            return False
        self._saved = time.monotonic()
        return True
