"""A job run to its end, with a bar on a terminal and lines of text elsewhere."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TYPE_CHECKING, TypeVar

from latmix.cli import console
from latmix.jobs.progress import Pace, Progress, progress_line
from latmix.sampling.generators import drained, watched

if TYPE_CHECKING:
    from rich.console import Console

Result = TypeVar("Result")

LINE_SECONDS = 1.0
"""Time between two lines of progress where there is no terminal."""


def drive(job: Generator[Progress, None, Result], quiet: bool) -> Result:
    """Run a job to its end under a bar on stderr; where that is no terminal, with lines of text."""
    if quiet:
        return drained(job)
    screen = console.screen(to_stderr=True)
    return _under_bar(job, screen) if screen.is_terminal else _with_lines(job, screen)


def _with_lines(job: Generator[Progress, None, Result], screen: Console) -> Result:
    """A line when more pictures are done, at most one in `LINE_SECONDS`, else in ten of them."""
    pace, told, shown_at = Pace(), 0, time.monotonic() - LINE_SECONDS

    def tell(progress: Progress) -> Progress:
        nonlocal told, shown_at
        pace.update(progress)
        now = time.monotonic()
        wait = LINE_SECONDS if progress.done > told else 10 * LINE_SECONDS
        if progress.step and now - shown_at >= wait:
            told, shown_at = progress.done, now
            screen.print(f"{progress.phase} {progress_line(progress, pace)}")
        return progress

    return drained(watched(job, tell))


def _under_bar(job: Generator[Progress, None, Result], screen: Console) -> Result:
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[detail]}", markup=False),
        console=screen,
        transient=True,
    )
    pace = Pace()

    def tell(progress: Progress) -> Progress:
        pace.update(progress)
        bar.update(
            task,
            total=1.0 if progress.total else None,
            completed=progress.fraction,
            description=progress.phase,
            detail=progress_line(progress, pace),
        )
        return progress

    with bar:
        task = bar.add_task("", total=1.0, detail="")
        return drained(watched(job, tell))
