"""Work in batches that get smaller where memory runs out, so that nothing is lost by it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from latmix.errors import LatmixError

Item = TypeVar("Item")
Seen = TypeVar("Seen")
Result = TypeVar("Result")

SIGNS = ("out of memory", "can't allocate memory", "not enough memory")
"""What the allocators of the devices say, in lower case."""


@dataclass
class BatchLimit:
    """How many pictures have been found to fit together; halved whenever memory runs out.

    Attributes:
        most: of pictures; None as long as all fitted.
    """

    most: int | None = None

    def size(self, wanted: int) -> int:
        """Of the next batch."""
        return wanted if self.most is None else min(wanted, self.most)

    def shrink(self, tried: int) -> None:
        """That many did not fit.

        Raises:
            LatmixError: it was one.
        """
        if tried <= 1:
            raise LatmixError(
                "Memory ran out with one picture at a time.",
                "Use a smaller --size, --offload model, --dtype float16 or --device cpu.",
            )
        self.most = tried // 2


def in_batches(
    count: int,
    batch: int,
    limit: BatchLimit,
    work: Callable[[range], Generator[Seen, None, Result]],
) -> Generator[Seen, None, list[Result]]:
    """Do all of `count` items, at most `batch` together; those that did not fit are tried again.

    Args:
        work: on some items; it must leave nothing behind where it is broken off.

    Returns:
        what it returned for each batch, in order.

    Raises:
        LatmixError: not even one item fits.
    """
    found: list[Result] = []
    first = 0
    while first < count:
        part = range(first, min(first + limit.size(batch), count))
        try:
            found.append((yield from work(part)))
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            limit.shrink(len(part))
        else:
            first = part.stop
            continue
        # The error is gone by now, and with it the frames that held the batch's tensors.
        free_memory()
    return found


def split(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """The items in parts of `size`, the last of what is left."""
    return [items[first : first + size] for first in range(0, len(items), size)]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or the machine, has no memory left."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)


def free_memory() -> None:
    """Give back what nothing uses any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
