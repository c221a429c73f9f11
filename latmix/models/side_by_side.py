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

import torch
from torch import Tensor

ROWS = 8
"""Of a part at least: fewer make other roundings of some products than the whole batch does."""

_lock = threading.Lock()


class SideBySide:
    """Threads that are kept; one batch at a time is worked on by any of these."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._threads = 0

    def __call__(self, work: Callable[[slice], Tensor], rows: int) -> Tensor:
        """What some work makes of rows of a batch, (rows, ...), in parts where they are enough."""
        cores = torch.get_num_threads()
        parts = min(cores, rows // ROWS)
        if parts < 2:
            return work(slice(0, rows))
        bounds = [rows * index // parts for index in range(parts + 1)]
        slices = [slice(*pair) for pair in itertools.pairwise(bounds)]
        with _lock:
            # This sets the calling thread's number, that of threads to come, and the libraries'.
            torch.set_num_threads(max(1, cores // parts))
            try:
                return torch.cat(list(self._threads_for(parts).map(work, slices)))
            finally:
                torch.set_num_threads(cores)

    def _threads_for(self, parts: int) -> ThreadPoolExecutor:
        if self._pool is None or self._threads != parts:
            if self._pool is not None:
                self._pool.shutdown()
            share = torch.get_num_threads()
            self._pool = ThreadPoolExecutor(parts, "latmix-rows", torch.set_num_threads, (share,))
            self._threads = parts
        return self._pool
