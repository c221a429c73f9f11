"""Inner products of latents: the statistics of any weighting without the latents themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from latmix.mixing.blocks import BLOCK_ELEMENTS, Blocks, precise
from latmix.mixing.grid import Method
from latmix.mixing.products import Products, StreamedProducts
from latmix.mixing.sphere import Product
from latmix.mixing.summary import Cut, Summary

GRAM_BYTES = 1 << 27
"""Gram matrices up to this size are kept (128 MB: N = 2,000 of SD 1.5's four channels)."""


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
    def bytes_for(count: int, channels: int) -> int:
        """Memory of the Gram matrices of N latents: what decides whether to keep them."""
        return 8 * channels * count * count

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
    if whole and Gram.bytes_for(*summary.channel_mean.shape) <= GRAM_BYTES:
        return Gram.of(whole(), method.split.largest)
    return StreamedProducts(read, summary)
