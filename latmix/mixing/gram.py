"""Inner products of latents, for norm targets and statistics that ask for them.

They come from a `Gram`, the statistics of any weighting without the latents themselves, or, where N
is too large for one, from passes over the latents.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from latmix.mixing.blocks import BLOCK_ELEMENTS, Blocks, precise, weighted_sums
from latmix.mixing.grid import Method
from latmix.mixing.sphere import Array, Product
from latmix.mixing.summary import Cut, Summary

GRAM_BYTES = 1 << 27
"""Gram matrices up to this size are kept (128 MB: N = 2,000 of SD 1.5's four channels)."""


class Products(ABC):
    """Inner products of the residuals e_n of N latents."""

    @abstractmethod
    def times(self, coefficients: Tensor, cut: Cut) -> Tensor:
        """<e_n, sum c e>, (B, N), for coefficients c (B, N)."""

    def cosines(self, cut: Cut, inverse: Tensor) -> Product:
        """<u_n, sum a u>, (B, N), for coefficients a (B, N), of the directions u = e/r.

        Args:
            inverse: 1/r_n, (B, N) or (1, N).
        """

        def product(coefficients: Array) -> Array:
            scaled = torch.from_numpy(coefficients).to(inverse) * inverse
            found: Array = (self.times(scaled, cut) * inverse).numpy(force=True)
            return found

        return product


@dataclass(frozen=True)
class Gram(Products):
    """Inner products of N latents, from which every weighting's statistics follow in O(C N^2); the
    `Products` of those latents.

    Attributes:
        summary: of the same latents.
        centred: <e_ic, e_jc> of the channel-centred latents, (C, N, N).
        kept: `residual` matrices already made.
    """

    summary: Summary
    centred: Tensor
    kept: dict[tuple[bool, bool, float | None], Tensor] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, latents: Tensor, cutoff: float | None = None) -> Gram:
        """The Gram matrices of latents (N, C, ...); `cutoff` as in `Summary.of`."""
        summary = Summary.of(latents, cutoff)
        (channels, places), count = summary.shape, summary.count
        kind = precise(latents.device)
        centred = torch.zeros(channels, count, count, dtype=kind, device=latents.device)
        flat = latents.reshape(count, channels, -1)
        columns = max(1, BLOCK_ELEMENTS // max(1, count))
        for channel in range(channels):
            centre = summary.channel_mean[:, channel, None]
            for start in range(0, places, columns):
                part = flat[:, channel, start : start + columns].to(kind) - centre
                centred[channel] += part @ part.T
        return cls(summary, centred)

    @staticmethod
    def fits(count: int, channels: int) -> bool:
        """Whether the matrices of N latents are small enough to be kept."""
        return 8 * channels * count * count <= GRAM_BYTES

    def channel_variance(self, weights: Tensor) -> Tensor:
        """Variance over space of each channel of sum w_n z_n, (C,), for weights (N,)."""
        quadratic: Tensor = self.centred @ weights @ weights
        return quadratic.clamp_min(0.0) / self.summary.places

    def residual(self, cut: Cut) -> Tensor:
        """<e_i, e_j> under what is taken off all alike, (N, N)."""
        key = cut.single
        if key not in self.kept:
            means, cutoff = self.summary.channel_mean, key[2]
            offset = means - cut.split.constant(means)
            inner = self.centred.sum(dim=0) + self.summary.places * offset @ offset.T
            if cutoff is not None:
                inner = inner - self.summary.slow.products((cutoff,))[0]
            self.kept[key] = inner
        return self.kept[key]

    def times(self, coefficients: Tensor, cut: Cut) -> Tensor:
        if cut.cutoffs is None or not cut.differs:
            return coefficients @ self.residual(cut)
        result = torch.zeros_like(coefficients)
        for cutoff in torch.unique(cut.cutoffs):
            rows = cut.cutoffs == cutoff
            result[rows] = coefficients[rows] @ self.residual(cut.rows(rows))
        return result

    def cosines(self, cut: Cut, inverse: Tensor) -> Product:
        if len(inverse) > 1:
            return super().cosines(cut, inverse)
        matrix = (self.residual(cut) * inverse[0] * inverse[0, :, None]).numpy(force=True)
        return lambda coefficients: coefficients @ matrix


@dataclass(frozen=True)
class StreamedProducts(Products):
    """Inner products from two passes over the latents, in memory that does not grow with N."""

    read: Callable[[], Blocks]
    summary: Summary

    def times(self, coefficients: Tensor, cut: Cut) -> Tensor:
        total = weighted_sums(self.read(), self.summary.shape, coefficients)
        self.summary.add_common(total, cut, coefficients, -1.0)
        rest = total.flatten(1)
        result = torch.zeros_like(coefficients)
        for part, block in self.read():
            result[:, part] = rest @ block.to(rest).flatten(1).T
        return result


def products_of(
    method: Method,
    summary: Summary,
    read: Callable[[], Blocks],
    whole: Callable[[], Tensor] | None,
) -> Products | None:
    """The inner products of latents, where a method needs them.

    Args:
        read: yields the latents in blocks.
        whole: gives them all, (N, C, ...); None where they are too large for that.
    """
    if not method.norm.needs_products:
        return None
    if whole and Gram.fits(*summary.channel_mean.shape):
        return Gram.of(whole(), method.split.reach)
    return StreamedProducts(read, summary)
