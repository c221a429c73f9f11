"""Counts what the screen's loop does in a turn, in which it answers no key: calls, not seconds.

A busy machine lengthens a turn and not its calls, so that a bound holds everywhere. What a turn
waits for in C, such as a lock, it does not see: `python -m tests.benchmarks screen` does.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Turns:
    """The calls of Python's and C's functions in the loop's longest turn since the last look."""

    def __init__(self) -> None:
        self._calls = 0
        self._most = 0

    def most(self) -> int:
        """Of the longest turn; from here on others are looked at."""
        found, self._most = self._most, 0
        return found

    def _count(self, frame: FrameType, event: str, argument: object) -> None:
        if event in ("call", "c_call"):
            self._calls += 1

    @contextmanager
    def counted(self) -> Iterator[Turns]:
        """Counts in this thread until the block is left."""
        run = asyncio.Handle._run

        def counted(handle: asyncio.Handle) -> None:
            self._calls = 0
            run(handle)
            self._most = max(self._most, self._calls)

        asyncio.Handle._run = counted  # type: ignore[method-assign]
        sys.setprofile(self._count)
        try:
            yield self
        finally:
            sys.setprofile(None)
            asyncio.Handle._run = run  # type: ignore[method-assign]
