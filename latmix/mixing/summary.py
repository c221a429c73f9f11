"""What the statistics of a mixture need of its latents: sufficient statistics and Gram matrices.

Latents are (N, C, ...): N pictures, C channels, P = H*W places a channel, L = C*P elements.
Everything here is float64, so that what a mixture's norm loses by cancellation is not lost again
by rounding (an MPS device has no float64: there it is float32).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

BLOCK_ELEMENTS = 1 << 22
"""Elements converted at a time (32 MB in float64): bounds memory, whatever N is."""

Blocks = Iterable[tuple[slice, Tensor]]
"""Rows of latents in order, with their places: what `blocks` and a store's space yield."""


def precise(device: torch.device) -> torch.dtype:
    """The widest float type of a device."""
    return torch.float32 if device.type == "mps" else torch.float64


def blocks(latents: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Rows of latents (N, ...) as (k, C, P) in the widest float type, a few at a time."""
    count, channels = latents.shape[0], latents.shape[1] if latents.ndim > 2 else 1
    rows = max(1, BLOCK_ELEMENTS // max(1, latents[0].numel()))
    for start in range(0, count, rows):
        part = slice(start, min(start + rows, count))
        yield part, latents[part].to(precise(latents.device)).reshape(-1, channels, places(latents))


def places(latents: Tensor) -> int:
    """P: elements of a channel of latents (N, C, ...); of (N, L), which is one channel, L."""
    return latents[0, 0].numel() if latents.ndim > 2 else latents.shape[1]


@dataclass(frozen=True)
class Summary:
    """Sufficient statistics of N latents: all a norm target or a mean split asks of the inputs.

    Attributes:
        squared_norm: |z_n|^2, (N,).
        channel_mean: mean of each channel of z_n, (N, C).
        places: P, elements of a channel.
    """

    squared_norm: Tensor
    channel_mean: Tensor
    places: int

    @classmethod
    def of(cls, latents: Tensor) -> Summary:
        """The summary of latents (N, C, ...)."""
        squares, means = [], []
        for _, block in blocks(latents):
            squares.append(block.square().sum(dim=(1, 2)))
            means.append(block.mean(dim=2))
        return cls(torch.cat(squares), torch.cat(means), places(latents))

    @property
    def count(self) -> int:
        """N."""
        return self.channel_mean.shape[0]

    @property
    def length(self) -> int:
        """L = C*P, elements of a latent."""
        return self.channel_mean.shape[1] * self.places

    @property
    def radius(self) -> float:
        """R = sqrt(L), the norm of a typical N(0, I) sample (L&K section 3)."""
        return math.sqrt(self.length)

    def residual_norm(self, mean: str) -> Tensor:
        """r_n = |e_n|, (N,): the norm of each latent without the part the mean split takes off."""
        common = split(self.channel_mean, mean).square().sum(dim=1) * self.places
        return (self.squared_norm - common).clamp_min(0.0).sqrt()


def split(channel_mean: Tensor, mean: str) -> Tensor:
    """d per channel, (..., C), of a mean split, from channel means (..., C). L&K section 5."""
    if mean == "0":
        return torch.zeros_like(channel_mean)
    if mean == "m":
        return channel_mean.mean(dim=-1, keepdim=True).expand_as(channel_mean)
    if mean == "chm":
        return channel_mean
    raise ValueError(f"mean split {mean!r} is not known: it must be one of 0, m, chm.")


@dataclass(frozen=True)
class Gram:
    """Inner products of N latents, from which every weighting's statistics follow in O(C N^2).

    Attributes:
        summary: of the same latents.
        centred: <e_ic, e_jc> of the channel-centred latents, (C, N, N).
    """

    summary: Summary
    centred: Tensor

    @classmethod
    def of(cls, latents: Tensor) -> Gram:
        """The Gram matrices of latents (N, C, ...), in blocks of columns."""
        summary = Summary.of(latents)
        channels, count = summary.channel_mean.shape[1], summary.count
        kind = precise(latents.device)
        centred = torch.zeros(channels, count, count, dtype=kind, device=latents.device)
        flat = latents.reshape(count, channels, -1)
        columns = max(1, BLOCK_ELEMENTS // max(1, count))
        for channel in range(channels):
            mean = summary.channel_mean[:, channel, None]
            for start in range(0, summary.places, columns):
                part = flat[:, channel, start : start + columns].to(kind) - mean
                centred[channel] += part @ part.T
        return cls(summary, centred)

    @staticmethod
    def bytes_for(count: int, channels: int) -> int:
        """Memory of the Gram matrices of N latents: what decides whether to keep them."""
        return 8 * channels * count * count

    def channel_variance(self, weights: Tensor) -> Tensor:
        """Variance over space of each channel of sum w_n z_n, (C,), for weights (N,)."""
        quadratic = torch.einsum("i,cij,j->c", weights, self.centred, weights)
        return quadratic.clamp_min(0.0) / self.summary.places
