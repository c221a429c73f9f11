"""Rows of latents in blocks: how sums over more latents than fit into memory are formed.

Latents are (N, C, ...): N pictures, C channels, P = H*W places a channel, L = C*P elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

BLOCK_ELEMENTS = 1 << 22
"""Elements converted at a time (32 MB in float64): bounds memory, whatever N is."""

CACHED_ELEMENTS = 1 << 18
"""Elements looked at several times in a row (2 MB in float64): they stay in a processor's cache."""

ROUNDING = 64.0
"""Units of the last place within which a sum of many terms is taken for zero."""

Blocks = Iterable[tuple[slice, Tensor]]
"""Rows of latents in order, with their places: what `blocks` and a store's space yield."""


def precise(device: torch.device) -> torch.dtype:
    """The widest float type of a device."""
    return torch.float32 if device.type == "mps" else torch.float64


def blocks(
    latents: Tensor, kind: torch.dtype | None = None, elements: int = BLOCK_ELEMENTS
) -> Iterator[tuple[slice, Tensor]]:
    """Rows of latents (N, ...) as (k, C, P), a few at a time, as `kind` or the widest float."""
    count, channels = latents.shape[0], latents.shape[1] if latents.ndim > 2 else 1
    kind = kind or precise(latents.device)
    for part in parts(count, latents[0].numel(), elements):
        rows = latents[part].to(kind)
        yield part, rows.reshape(len(rows), channels, -1)


def parts(count: int, length: int, elements: int) -> Iterator[slice]:
    """Slices of `count` rows of `length` elements, each of a bounded number of elements."""
    rows = max(1, elements // max(1, length))
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


def channel_size(latents: Tensor) -> tuple[int, ...]:
    """Of latents (N, C, ...), what follows C; of (N, L), which is one channel, (L,)."""
    return tuple(latents.shape[2:] or latents.shape[1:])


def weighted_sums(rows: Blocks, shape: tuple[int, int], weights: Tensor) -> Tensor:
    """sum_n w_n z_n of latents that come in blocks, so that memory does not grow with N.

    Args:
        rows: blocks (k, C, ...) in order, with their places among the N.
        shape: (C, P).
        weights: (B, N); the products are formed and added up in their type.

    Returns:
        (B, C, P) of the weights' type.
    """
    total = weights.new_zeros(len(weights), shape[0] * shape[1])
    for part, block in rows:
        total.addmm_(weights[:, part], block.to(total).reshape(-1, total.shape[1]))
    return total.reshape(-1, *shape)
