"""Work done ahead in threads, so that files are read while others compute. Needs no torch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")


def map_ahead(
    items: Iterable[Item], work: Callable[[Item], Found], depth: int, threads: int = 1
) -> Generator[tuple[Item, Future[Found]], None, None]:
    """The items in order, each with what `work` makes of it or the exception that it raised.

    Args:
        depth: how many items are worked on before they are asked for, so that results take room
            for `depth` items, whatever their number.
    """
    waiting: deque[tuple[Item, Future[Found]]] = deque()
    with ThreadPoolExecutor(threads, "latmix-ahead") as pool:
        try:
            for item in items:
                waiting.append((item, pool.submit(work, item)))
                if len(waiting) > depth:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            for _, future in waiting:
                future.cancel()
