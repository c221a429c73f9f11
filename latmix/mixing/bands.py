"""Latents and their weighted sums taken apart into orthogonal bands, by inner products alone.

The bands are those of `splits`: the overall mean, the rest of the channel means, each ring that a
split may take off, and what is left, which is one band, or one of each channel where a norm target
scales them one by one. What a mixture is within each follows from its gain there (`weighting`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from latmix.mixing.grid import Method
from latmix.mixing.splits import Split
from latmix.mixing.summary import Summary

MEANS = 2
"""The bands before the rings."""


def ring_edges(summary: Summary, split: Split) -> tuple[float, ...]:
    """Where the rings end that a split may take off."""
    return () if split.reach is None else summary.slow.edges(split)


def onto_bands(summary: Summary, method: Method, coefficients: Tensor, centred: Tensor) -> Tensor:
    """<z_n, sum c z> within each band, (K, B, N), for coefficients c (B, N).

    Args:
        centred: the same of the latents without their channels' means, (1, B, N), or (C, B, N) of
            each channel where the norm target scales them one by one.
    """
    overall, offsets = _means(summary)
    overall, offsets = overall.to(coefficients), offsets.to(coefficients)
    found = [
        summary.length * (coefficients @ overall)[:, None] * overall,
        summary.places * (coefficients @ offsets) @ offsets.T,
    ]
    if edges := ring_edges(summary, method.split):
        rings = summary.slow.onto(coefficients, edges)
        found.extend(rings)
        centred = centred - rings.sum(dim=0)
    return torch.stack([*found, *centred])


def own_bands(summary: Summary, method: Method) -> Tensor:
    """|z_n|^2 within each band, (N, K)."""
    edges = ring_edges(summary, method.split)
    key = edges, method.norm.per_channel
    if key not in summary.kept:
        overall, offsets = _means(summary)
        found = [
            summary.length * overall.square()[:, None],
            summary.places * offsets.square().sum(dim=1, keepdim=True),
        ]
        if edges:
            found.append(summary.slow.ring_energy(edges))
        known = torch.cat(found, dim=1)
        rest = (summary.squared_norm - known.sum(dim=1)).clamp_min(0)[:, None]
        if method.norm.per_channel and summary.channel_norm is not None:
            rest = summary.channel_norm.square()
        summary.kept[key] = torch.cat([known, rest], dim=1)
    return summary.kept[key]


def taken_bands(split: Split, rings: Tensor, bands: int) -> Tensor:
    """Which of the bands a split takes off each mixture, (B, K).

    Args:
        rings: how many of its rings it takes off each, (B,).
    """
    place = torch.arange(bands, device=rings.device) - MEANS
    taken = (place >= 0) & (place < rings[:, None])
    taken[:, 0], taken[:, 1] = split.takes_overall, split.takes_channels
    return taken


def _means(summary: Summary) -> tuple[Tensor, Tensor]:
    """The overall means, (N,), and what the channels' means differ by from them, (N, C)."""
    overall = summary.channel_mean.mean(dim=1)
    return overall, summary.channel_mean - overall[:, None]
