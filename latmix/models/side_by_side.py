"""Rows of a batch worked on side by side, a part on each core.

An operation of a small network is too short to be divided well among the cores: a batch of 32 of
the built-in UNet's takes a fifth longer so than in two parts, each on a core of its own. The work
must leave Python's lock alone, as a recorded network does.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import torch
from torch import Tensor

ROWS = 8
"""Of a part at least: fewer make other roundings of some products than the whole batch does."""

_lock = threading.Lock()


def side_by_side(work: Callable[[slice], Tensor], rows: int) -> Tensor:
    """What some work makes of rows of a batch, (rows, ...), in parts where they are enough; one
    batch at a time is worked on so."""
    cores = torch.get_num_threads()
    parts = min(cores, rows // ROWS)
    if parts < 2:
        return work(slice(0, rows))
    bounds = [rows * index // parts for index in range(parts + 1)]
    slices = [slice(*pair) for pair in itertools.pairwise(bounds)]
    share = max(1, cores // parts)
    with _lock:
        # This sets the calling thread's number, that of threads to come, and the libraries'.
        torch.set_num_threads(share)
        try:
            return torch.cat(list(_threads(parts, share).map(work, slices)))
        finally:
            torch.set_num_threads(cores)


@lru_cache(maxsize=1)
def _threads(count: int, share: int) -> ThreadPoolExecutor:
    """Threads that are kept until another number of them is wanted."""
    return ThreadPoolExecutor(count, "latmix-rows", torch.set_num_threads, (share,))
