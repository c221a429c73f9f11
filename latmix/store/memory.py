"""Memory that blocks of latents are read into. Only `space` may import it."""

from __future__ import annotations

import weakref

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latmix.store.shards import Shape


class BlockMemory:
    """Memory for blocks of latents, which is used again once no tensor in it is left.

    New memory for each block costs nearly as much as filling it: the system clears every page.
    """

    def __init__(self, rows: int, shape: Shape) -> None:
        self._size = (rows, *shape)
        self._free: list[NDArray[np.float32]] = []

    def block(self, rows: int) -> Tensor:
        """An uninitialised (rows, C, H, W) of float32."""
        try:
            whole = self._free.pop()
        except IndexError:
            # Of torch, aligned to 64 bytes: the system copies up to five times as fast as to 16.
            whole = torch.empty(self._size).numpy()
        held = whole[:rows]  # lives as long as any tensor that shares its memory
        weakref.finalize(held, self._free.append, whole).atexit = False
        return torch.from_numpy(held)


def bytes_of(numbers: Tensor) -> memoryview:
    """The memory of a contiguous tensor on the CPU."""
    return memoryview(numbers.numpy().data).cast("B") if numbers.numel() else memoryview(b"")
