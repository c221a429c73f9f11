"""Inner products of latents: the statistics of any weighting without the latents themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from latmix.mixing.summary import BLOCK_ELEMENTS, Split, Summary, precise

GRAM_BYTES = 1 << 27
"""Gram matrices up to this size are kept (128 MB: N = 2,000 of SD 1.5's four channels)."""


@dataclass(frozen=True)
class Gram:
    """Inner products of N latents, from which every weighting's statistics follow in O(C N^2).

    Attributes:
        summary: of the same latents.
        centred: <e_ic, e_jc> of the channel-centred latents, (C, N, N).
        kept: `residual` matrices already made.
    """

    summary: Summary
    centred: Tensor
    kept: dict[tuple[str, float | None], Tensor] = field(default_factory=dict, compare=False)

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

    def residual(self, mean: str, cutoff: float | None) -> Tensor:
        """<e_i, e_j> under a mean split, (N, N).

        Args:
            cutoff: of a low-pass split, in cycles per width; None for another split.
        """
        key = ("lp" if cutoff is not None else mean, cutoff)
        if key not in self.kept:
            means = self.summary.channel_mean
            offset = means - Split(mean, None).constant(means)
            inner = self.centred.sum(dim=0) + self.summary.places * offset @ offset.T
            if cutoff is not None:
                inner = inner - self.summary.slow_products(cutoff)
            self.kept[key] = inner
        return self.kept[key]
