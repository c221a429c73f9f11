"""Generators that yield how far they are and return a result: run them, or pass on what they yield.

Needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

Seen = TypeVar("Seen")
Told = TypeVar("Told")
Result = TypeVar("Result")


def drained(work: Generator[Any, None, Result]) -> Result:
    """Run a generator to its end, what it yields unseen, and return its result."""
    try:
        while True:
            next(work)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    finally:
        work.close()


def watched(
    work: Generator[Seen, None, Result], tell: Callable[[Seen], Told]
) -> Generator[Told, None, Result]:
    """The same work with each thing it yields told in other words; closing one closes the other."""
    try:
        while True:
            yield tell(next(work))
    except StopIteration as stop:
        result: Result = stop.value
        return result
    finally:
        work.close()
