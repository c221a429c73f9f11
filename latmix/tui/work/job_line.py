"""The job at work in two lines, or in one line the last thing that happened."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.timer import Timer
from textual.widgets import Static

from latmix.jobs.progress import Pace, Progress, clock_text
from latmix.tui.work.phases import phase_of
from latmix.tui.work.work import Work

STOPPING = "stopping after the call at work; what is finished is kept"
PAUSED = "paused: P goes on, esc stops"
NEWS_SECONDS = 3.0
LEAST_BAR, LARGEST_BAR = 5, 60
GAP = "  "


def job_text(progress: Progress, pace: Pace, width: int, queued: int = 0) -> str:
    """How far the whole job is, in at most `width` cells: what matters less gives way first."""
    phase = phase_of(progress.phase)
    head = f"{phase.verb} {progress.done}/{progress.total}" if progress.total else phase.verb
    head += f" +{queued} queued" if queued else ""
    if not progress.total or not phase.has_bar:
        return head[:width]
    share = f"{progress.fraction:4.0%}"
    left = f"{clock_text(pace.seconds_left)} left"
    for before, after in (
        ([head, progress.picture], [share, left]),
        ([head], [share, left]),
        ([head], [share]),
    ):
        texts = [part for part in (*before, *after) if part]
        room = width - len(GAP.join(texts)) - len(GAP)
        if room >= LEAST_BAR:
            bar = progress_bar(progress.fraction, min(room, LARGEST_BAR))
            return GAP.join([*(part for part in before if part), bar, *after])
    return head[:width]


def step_text(progress: Progress, pace: Pace, width: int) -> str:
    """The batch at work and the machine, in at most `width` cells."""
    parts = []
    if progress.steps:
        parts.append(f"step {progress.step}/{progress.steps}")
        parts.append(f"{pace.steps_per_second:.1f} it/s")
    parts += [part for part in (progress.device, progress.note) if part]
    while parts and len(GAP.join(parts)) > width:
        parts.pop()
    return GAP.join(parts)


def progress_bar(fraction: float, cells: int) -> str:
    done = round(fraction * cells)
    return "━" * done + "─" * (cells - done)


class JobLine(Static):
    """Shows the job while there is one, else what was `said` last."""

    def __init__(self) -> None:
        super().__init__(id="job")
        self.tooltip = "The job at work, or what happened last."
        self.said = ""
        self._is_news = False
        self._silence: Timer | None = None
        self._work: Work | None = None

    def say(self, text: str) -> None:
        """Show a message until the next one; beside a job at work, for a few seconds."""
        self.said, self._is_news = text, bool(text)
        if self._silence is not None:
            self._silence.stop()
        self._silence = self.set_timer(NEWS_SECONDS, self._end_news)
        self._draw()

    def _end_news(self) -> None:
        self._is_news = False
        self._draw()

    def show_job(self, work: Work) -> None:
        """The job at work and its state, or that it has ended."""
        self._work = work
        self.set_class(work.progress is not None, "-working")
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        lines = self._lines(max(1, self.content_size.width))
        text = Text("\n".join(line.replace("\n", " ") for line in lines))
        text.no_wrap, text.overflow = True, "ellipsis"
        self.update(text, layout=False)

    def _lines(self, width: int) -> Sequence[str]:
        work = self._work
        if work is None or work.progress is None:
            return [self.said]
        job = work.progress, work.pace
        state = STOPPING if work.is_stopping else (PAUSED if work.is_paused else "")
        news = state or (self.said if self._is_news else "")
        return [
            job_text(*job, width, len(work.queued)),
            news or step_text(*job, width) or self.said,
        ]
