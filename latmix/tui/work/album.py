"""Small pictures for the list, read on a thread of their own so that nothing waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from latmix.jobs.engine import Engine, JobEvent
from latmix.jobs.screen.browsing import read_tile


class Album:
    """Reads the pictures that are in sight."""

    def __init__(self, tell: Callable[[JobEvent], None]) -> None:
        self._engine = Engine(tell)
        self._jobs: dict[Path, int] = {}

    def want(self, paths: Iterable[Path]) -> None:
        """Read these, in their order; what was asked for before and is not among them is left."""
        wanted = dict.fromkeys(paths)
        for path in [path for path in self._jobs if path not in wanted]:
            self._engine.cancel(self._jobs.pop(path))
        for path in wanted:
            if path not in self._jobs:
                self._jobs[path] = self._engine.submit("tile", partial(read_tile, path))

    def cancel(self) -> None:
        """Leave all that is asked for."""
        self._engine.cancel()

    def close(self, seconds: float) -> bool:
        """End the thread; False where it is in the middle of a picture."""
        return self._engine.close(seconds)
