"""What each latent is to a mixture on the sphere: slerp and nao.

Without picture n these have a direction of their own, found by itself: the N descents run side by
side on the Gram matrix, some milliseconds at N = 96 and a second at `LARGEST`. Beyond, and without
a Gram matrix, the angles alone are known.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from latmix.mixing.direction import Direction, GramProducts, directions
from latmix.mixing.formula import norm_target, normalise_sums, ratio
from latmix.mixing.gram import Gram
from latmix.mixing.grid import AUTO, Method, parse_cutoff
from latmix.mixing.influence import BANDS_OF_MEAN, MEAN_BANDS, Inputs, degrees, known
from latmix.mixing.summary import Blocks, Split, Summary

LARGEST = 512
"""Latents up to which the mixtures without one of them are found."""


def left_out_inputs(gram: Gram, weights: Tensor, method: Method) -> Inputs:
    """The angles, and the mixtures without one of the latents, for weights (N,) that sum to 1."""
    summary = gram.summary
    table = _tables(weights)
    direction, lost = directions(method, summary, table, GramProducts(gram))
    target, scaled = _targets(gram, table, direction, method)
    split = direction.split
    cuts = _cuts(split, table)
    change = square = torch.zeros_like(table[:, 0])
    onto = torch.zeros_like(weights)
    for band, inner in enumerate(_bands(gram, method.mean)):
        mixed = torch.where(cuts[:, None] > band, table, scaled)
        other = mixed - mixed[0]
        change = change + ((other @ inner) * other).sum(dim=1)
        square = square + ((mixed @ inner) * mixed).sum(dim=1)
        onto = onto + inner @ mixed[0]
    tiny = torch.finfo(weights.dtype).tiny
    norm = square.clamp_min(0).sqrt()
    means = summary.channel_mean.to(weights)
    mean, turned = table @ means, scaled @ means
    channel_mean = split.constant(mean) + turned - split.constant(turned)
    residual = norm if direction.residual is None else direction.residual
    influence = change[1:].clamp_min(0).sqrt() / norm[0].clamp_min(tiny)
    is_left = ~lost[1:] & (weights < 1)
    lengths = summary.squared_norm.to(weights).sqrt() * norm[0]
    return Inputs(
        angle=degrees(onto / lengths.clamp_min(tiny)),
        influence=known(torch.where(weights > 0, influence, 0.0), is_left),
        amplification=known(ratio(target, residual)[1:], is_left),
        largest_mean=known(channel_mean[1:].abs().amax(dim=1), is_left),
        norm_ratio=known(norm[1:] / summary.radius, is_left),
    )


def angles_alone(
    rows: Blocks,
    total: Tensor,
    summary: Summary,
    weights: Tensor,
    direction: Direction,
    method: Method,
) -> Inputs:
    """The angles, from the latents in blocks and sum c z, (C, P), of one mixture's direction."""
    mixed = total[None].clone()
    normalise_sums(mixed, summary, weights[None], direction, method)
    flat = mixed.flatten()
    onto = torch.cat([block.to(flat).flatten(1) @ flat for _, block in rows])
    lengths = summary.squared_norm.to(weights).sqrt() * flat.norm()
    none = (None,) * len(weights)
    angle = degrees(onto / lengths.clamp_min(torch.finfo(weights.dtype).tiny))
    return Inputs(angle, none, none, none, none)


def _tables(weights: Tensor) -> Tensor:
    """The weights, and those without each latent, (N + 1, N); all of them for one that is all."""
    others = weights.expand(len(weights), -1).clone()
    others.fill_diagonal_(0.0)
    sums = others.sum(dim=1, keepdim=True)
    others = torch.where(sums > 0, others / sums, weights)
    return torch.cat([weights[None], others])


def _targets(
    gram: Gram, table: Tensor, direction: Direction, method: Method
) -> tuple[Tensor, Tensor]:
    """rho of each mixture, (K,), and the coefficients of its scaled part, (K, N)."""
    c = direction.coefficients
    size = (c * GramProducts(gram).times(c, direction.split)).sum(dim=1).clamp_min(0).sqrt()
    residual = size if direction.residual is None else direction.residual
    found = gram.summary.averages(direction.split, table)
    target = norm_target(method.norm, residual, found.residual, found.beta, gram.summary.radius)
    return target, ratio(target, size)[:, None] * c


def _cuts(split: Split, table: Tensor) -> Tensor:
    """How many of the first bands are split off each mixture, (K,)."""
    if split.cutoffs is None:
        return torch.full_like(table[:, 0], BANDS_OF_MEAN[split.mean])
    if parse_cutoff(split.mean) == AUTO:
        return MEAN_BANDS + split.cutoffs
    return torch.full_like(split.cutoffs, MEAN_BANDS + 1)


def _bands(gram: Gram, mean: str) -> Iterator[Tensor]:
    """Inner products of the latents within each band, (N, N): the overall mean, the rest of the
    channel means, what a low-pass split takes off (for lp:auto each ring), the rest."""
    summary = gram.summary
    means = summary.channel_mean
    overall = means.mean(dim=1)
    offsets = means - overall[:, None]
    yield summary.length * overall[:, None] * overall
    yield summary.places * offsets @ offsets.T
    rest = gram.centred.sum(dim=0)
    if parse_cutoff(mean) is not None:
        for slow in summary.slow_bands(mean):
            rest = rest - slow
            yield slow
    yield rest
