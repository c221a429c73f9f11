"""What the statistics of a mixture need of its latents: sufficient statistics and Gram matrices.

Latents are (N, C, ...): N pictures, C channels, P = H*W places a channel, L = C*P elements.
Everything here is float64, so that what a mixture's norm loses by cancellation is not lost again
by rounding (an MPS device has no float64: there it is float32).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from latmix.mixing.grid import parse_cutoff
from latmix.mixing.low_pass import Spectrum

BLOCK_ELEMENTS = 1 << 22
"""Elements converted at a time (32 MB in float64): bounds memory, whatever N is."""

ROUNDING = 64.0
"""Units of the last place within which a sum of many terms is taken for zero."""

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
        spectrum: the slow part of the latents; None where no low-pass split asks for it.
    """

    squared_norm: Tensor
    channel_mean: Tensor
    places: int
    spectrum: Spectrum | None = None

    @classmethod
    def of(cls, latents: Tensor, mean: str = "0") -> Summary:
        """The summary of latents (N, C, ...), with what a mean split needs.

        Raises:
            ValueError: a low-pass split, and the latents are not (N, C, H, W).
        """
        squares, means = [], []
        for _, block in blocks(latents):
            squares.append(block.square().sum(dim=(1, 2)))
            means.append(block.mean(dim=2))
        summary = cls(torch.cat(squares), torch.cat(means), places(latents))
        if parse_cutoff(mean) is None:
            return summary
        shape = tuple(int(side) for side in latents.shape[1:])
        return summary.with_spectrum(blocks(latents), shape)

    def with_spectrum(self, rows: Blocks, shape: tuple[int, ...]) -> Summary:
        """The same with the spectrum of the latents, which come in blocks; shape is (C, H, W).

        Raises:
            ValueError: the latents have no height and width.
        """
        if len(shape) != 3:
            raise ValueError(f"a low-pass split needs latents (N, C, H, W), not (N, {shape}).")
        parts = [Spectrum.of(block.reshape(-1, *shape).to(self.channel_mean)) for _, block in rows]
        return replace(self, spectrum=Spectrum.stack(parts))

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

    def mean_residual_norm(self, mean: str, weights: Tensor) -> Tensor:
        """sum w_n r_n, (B,), r_n = |e_n|: the norm of a latent without what the split takes off.

        Args:
            weights: (B, N); they also choose the cut-off of "lp:auto".
        """
        common = split(self.channel_mean, mean).square().sum(dim=1) * self.places
        squares = (self.squared_norm - common).to(weights)[None]
        cutoffs = self.cutoffs(mean, weights)
        if cutoffs is not None:
            squares = squares - self._slow.energy(cutoffs)
        # What rounding leaves of a latent that is all split off is nothing, not a small norm.
        floor = ROUNDING * torch.finfo(weights.dtype).eps * self.squared_norm.to(weights)
        norms = torch.where(squares > floor, squares, 0.0).sqrt()
        return (weights * norms).sum(dim=1)

    def cutoffs(self, mean: str, weights: Tensor) -> Tensor | None:
        """The cut-off of each mixture under a low-pass split, (B,); None for another split."""
        return None if parse_cutoff(mean) is None else self._slow.cutoffs(mean, weights)

    def slow_variance(self, mean: str, weights: Tensor) -> Tensor:
        """Variance over space of each channel of d', (C,), for weights (N,): 0 but for low-pass."""
        cutoffs = self.cutoffs(mean, weights[None])
        if cutoffs is None:
            return torch.zeros_like(self.channel_mean[0]).to(weights)
        return self._slow.variance(weights, cutoffs[0])

    @property
    def _slow(self) -> Spectrum:
        if self.spectrum is None:
            raise ValueError("summary: a low-pass split needs the latents' spectrum.")
        return self.spectrum


def split(channel_mean: Tensor, mean: str) -> Tensor:
    """The constant part of d per channel, (..., C), of a mean split. L&K section 5."""
    if mean == "0":
        return torch.zeros_like(channel_mean)
    if mean == "m":
        return channel_mean.mean(dim=-1, keepdim=True).expand_as(channel_mean)
    if mean == "chm" or parse_cutoff(mean) is not None:
        return channel_mean
    raise ValueError(f"mean split {mean!r} is not known: it must be one of 0, m, chm, lp:k.")


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
    def of(cls, latents: Tensor, mean: str = "0") -> Gram:
        """The Gram matrices of latents (N, C, ...), with what a mean split needs of them."""
        summary = Summary.of(latents, mean)
        channels, count = summary.channel_mean.shape[1], summary.count
        kind = precise(latents.device)
        centred = torch.zeros(channels, count, count, dtype=kind, device=latents.device)
        flat = latents.reshape(count, channels, -1)
        columns = max(1, BLOCK_ELEMENTS // max(1, count))
        for channel in range(channels):
            centre = summary.channel_mean[:, channel, None]
            for start in range(0, summary.places, columns):
                part = flat[:, channel, start : start + columns].to(kind) - centre
                centred[channel] += part @ part.T
        return cls(summary, centred)

    @staticmethod
    def bytes_for(count: int, channels: int) -> int:
        """Memory of the Gram matrices of N latents: what decides whether to keep them."""
        return 8 * channels * count * count

    def channel_variance(self, weights: Tensor) -> Tensor:
        """Variance over space of each channel of sum w_n z_n, (C,), for weights (N,)."""
        quadratic: Tensor = self.centred @ weights @ weights
        return quadratic.clamp_min(0.0) / self.summary.places
