"""When Python looks for garbage: while nobody types, not between a key and its answer.

A full collection walks every object that holds others, some hundred thousand in a running explorer,
and all threads stand still meanwhile, the screen's too.
"""

from __future__ import annotations

import gc
import time

QUIET = 0.7
"""Seconds without a key or the mouse after which nobody is typing."""

DUE = 3
"""Smaller collections after which a full one is worth it; at Python's own 10 it takes thrice as
long, so much is there to be freed."""

NEVER = 1_000_000_000


class Garbage:
    """Takes the full collections over from Python, until it is given them back."""

    def __init__(self) -> None:
        self.quiet = QUIET
        self._usual = gc.get_threshold()
        self._touched = time.monotonic()

    def take_over(self) -> None:
        """From now on; what was made until now is here to stay, and is not walked again."""
        gc.freeze()
        gc.set_threshold(*self._usual[:2], NEVER)

    def give_back(self) -> None:
        """Leave it to Python again."""
        gc.set_threshold(*self._usual)

    def touch(self) -> None:
        """A key or the mouse was used."""
        self._touched = time.monotonic()

    def collect_if_quiet(self) -> None:
        """Free what is no longer used, if there may be much, unless somebody is typing.

        Not while libraries are imported either (`jobs.imports`): all of theirs would be walked.
        """
        is_due = gc.isenabled() and gc.get_count()[2] > DUE
        if is_due and time.monotonic() - self._touched >= self.quiet:
            gc.collect()
