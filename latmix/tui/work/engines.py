"""The threads beside the screen's: none of them waits for another.

They are our own and not Textual's workers: a thread worker cannot be stopped, and the process would
wait for it at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from latmix.errors import LatmixError
from latmix.jobs.engine import Engine, Job, JobEvent, ignore
from latmix.jobs.progress import Progress

Found = TypeVar("Found")


class Engines:
    """One each for the device, for what is read and written, for small pictures, and for the
    system's viewer, which may take two seconds to fail."""

    def __init__(
        self, tell: Callable[[JobEvent], None], failed: Callable[[LatmixError], object]
    ) -> None:
        """failed: is told where whoever asks says nothing else."""
        self._all = [Engine(tell) for _ in range(4)]
        self.files, self.small, self.viewer, self.device = self._all
        self._failed = failed

    def ask(
        self,
        name: str,
        work: Callable[[], Generator[Progress, None, Found] | Found],
        done: Callable[[Found], object] = ignore,
        failed: Callable[[LatmixError], object] | None = None,
    ) -> None:
        """Have something read or written; of a name only the last that was asked is answered."""
        self.files.submit(Job(name, work, done, failed or self._failed, group=name))

    def cancel(self) -> None:
        """Ask everything to stop, without waiting."""
        for engine in self._all:
            engine.cancel()

    def close(self, seconds: float) -> bool:
        """End all threads; False where one is still in the middle of a step."""
        ended = [engine.close(seconds) for engine in self._all]
        return all(ended)
