"""One line for the job at work, or for the last thing that happened."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from latmix.jobs.progress import Pace, Progress, clock_text

VERBS = {
    "prepare": "starting torch",
    "load": "loading the model",
    "recall": "looking up",
    "invert": "inverting",
    "measure": "measuring",
    "mix": "mixing",
    "generate": "generating",
}
STOPPING = "stopping after the step at work; what is finished is kept"
LEAST_BAR, LARGEST_BAR = 5, 40


def job_text(progress: Progress, pace: Pace, width: int) -> str:
    """The job's state in at most `width` cells: the less important parts give way first."""
    verb = VERBS.get(progress.phase, progress.phase)
    head = f"{verb} {progress.done}/{progress.total}" if progress.total else verb
    if not progress.steps:
        return head[:width]
    step = f"step {progress.step}/{progress.steps}"
    share = f"{progress.fraction:4.0%}"
    left = f"{clock_text(pace.seconds_left)} left"
    pace_text = f"{pace.steps_per_second:.1f} it/s"
    for parts in (
        [step, None, share, pace_text, left, progress.device, progress.note],
        [step, None, share, pace_text, left, progress.device],
        [step, None, share, pace_text, left],
        [step, None, share, left],
        [step, share],
        [],
    ):
        texts = [part for part in parts if part]
        room = width - len("  ".join([head, *texts]))
        if None in parts:
            room -= 2
            if room < LEAST_BAR:
                continue
            texts.insert(1, progress_bar(progress.fraction, min(room, LARGEST_BAR)))
        if room >= 0:
            return "  ".join([head, *texts])
    return head[:width]


def progress_bar(fraction: float, cells: int) -> str:
    done = round(fraction * cells)
    return "━" * done + "─" * (cells - done)


class JobLine(Static):
    """Shows the job while there is one, else what was said last."""

    def __init__(self) -> None:
        super().__init__(id="job")
        self._said = ""
        self._job: tuple[Progress, Pace] | None = None
        self._is_stopping = False

    @property
    def said(self) -> str:
        """The last message."""
        return self._said

    def say(self, text: str) -> None:
        """Show a message until the next one; a job at work is shown before it."""
        self._said = text
        self._draw()

    def show_job(self, progress: Progress | None, pace: Pace, is_stopping: bool) -> None:
        """Show a job's state; None when it has ended."""
        self._job = (progress, pace) if progress is not None else None
        self._is_stopping = is_stopping
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = max(1, self.content_size.width)
        if self._job is None:
            text = self._said
        elif self._is_stopping:
            text = STOPPING
        else:
            text = job_text(*self._job, width)
        line = Text(text.replace("\n", " "), no_wrap=True, overflow="ellipsis")
        self.update(line, layout=False)
