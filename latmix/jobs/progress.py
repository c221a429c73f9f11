"""How far a job is, and how fast: what both fronts draw. Needs no torch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Progress:
    """A job's state after a step.

    Attributes:
        phase: what is done, in a word: "load", "invert", "generate", "verify", ...
        done, total: pictures.
        step, steps: of the batch at work; 0 of 0 between batches.
        active: pictures in that batch.
        device: where the network runs.
        note: what else there is to say, such as how many were cached.
        picture: which is at work, by name.
        preview: what the first picture of the batch looks like from here, now and then.
    """

    phase: str
    done: int
    total: int
    step: int = 0
    steps: int = 0
    active: int = 0
    device: str = ""
    note: str = ""
    picture: str = ""
    preview: Image.Image | None = field(default=None, compare=False)

    @property
    def fraction(self) -> float:
        """Share of the whole, 0..1, counting the steps of the batch at work."""
        partial = self.active * self.step / self.steps if self.steps else 0.0
        return min(1.0, (self.done + partial) / self.total) if self.total else 0.0


def as_part(before: int, total: int) -> Callable[[Progress], Progress]:
    """Tells a part's progress as that of a whole of which so much was done before."""
    return lambda seen: replace(seen, done=before + seen.done, total=total)


@dataclass
class Pace:
    """Steps per second and time left of the phase at work, from the progress seen so far."""

    clock: Callable[[], float] = time.monotonic
    steps_per_second: float = 0.0
    seconds_left: float | None = None
    _phase: str = ""
    _start: tuple[float, float] = (0.0, 0.0)
    _last: tuple[float, int] = (0.0, 0)

    def update(self, progress: Progress) -> None:
        """Take in a progress report."""
        now = self.clock()
        if progress.phase != self._phase or not progress.steps:
            # Cached pictures pass in an instant: the pace starts with the first real step.
            self._phase, self._start = progress.phase, (now, progress.fraction)
            self._last, self.seconds_left = (now, progress.step), None
            return
        elapsed, made = now - self._last[0], progress.step - self._last[1]
        if not made:
            return  # within a step
        if made > 0 and elapsed > 0:
            recent = made / elapsed
            self.steps_per_second = 0.8 * (self.steps_per_second or recent) + 0.2 * recent
        self._last = (now, progress.step)
        gained = progress.fraction - self._start[1]
        if gained > 0:
            self.seconds_left = (now - self._start[0]) * (1.0 - progress.fraction) / gained

    def forgive(self, seconds: float) -> None:
        """Take a pause out of the reckoning."""
        self._start = (self._start[0] + seconds, self._start[1])
        self._last = (self._last[0] + seconds, self._last[1])


def clock_text(seconds: float | None) -> str:
    """Seconds as m:ss or h:mm:ss; "-:--" where they are not known."""
    if seconds is None:
        return "-:--"
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def progress_line(progress: Progress, pace: Pace) -> str:
    """Pictures, step, steps a second, time left, device, note: the parts that are known."""
    parts = [f"{progress.done}/{progress.total}"] if progress.total else []
    if progress.steps:
        parts.append(f"step {progress.step}/{progress.steps}")
        parts.append(f"{pace.steps_per_second:.1f} it/s")
        parts.append(f"{clock_text(pace.seconds_left)} left")
    parts += [part for part in (progress.device, progress.note) if part]
    return "  ".join(parts)
