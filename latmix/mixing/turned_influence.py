"""What each latent is to a mixture whose direction turns: on the sphere, as of slerp and nao.

Without picture n these have a direction of their own, found by itself: the N descents run side by
side on the Gram matrix, some milliseconds at N = 96 and a second at `LARGEST`. Beyond, and without
a Gram matrix, the angles alone are known.
"""

from __future__ import annotations

import torch
from torch import Tensor

from latmix.mixing.bands import onto_bands, ring_edges, taken_bands
from latmix.mixing.blocks import Blocks
from latmix.mixing.formula import scale_sums
from latmix.mixing.gram import Gram
from latmix.mixing.grid import Method
from latmix.mixing.influence import Inputs, Mixtures, angles
from latmix.mixing.splits import SLACK
from latmix.mixing.weighting import Weighting, weigh

LARGEST = 512
"""Latents up to which the mixtures without one of them are found."""


def turned_influence(gram: Gram, weights: Tensor, method: Method) -> Inputs:
    """The angles, and the mixtures without one of the latents, for weights (N,) that sum to 1.

    Raises:
        ValueError: the latents cancel.
    """
    summary = gram.summary
    table = _tables(weights)
    weighting = weigh(method, summary, table, gram)
    weighting.rows(slice(1)).checked()
    turned, split = weighting.coefficients, method.split
    size = (turned * gram.times(turned, weighting.cut)).sum(dim=1).clamp_min(0).sqrt()
    scaling = weighting.scaling(size[:, None])
    scaled = scaling.gain * turned

    both = torch.cat([table, scaled])
    onto = onto_bands(summary, method, both, (both @ gram.centred.sum(dim=0))[None])
    taken = taken_bands(split, _rings(weighting), len(onto)).T[..., None]
    mixed = torch.where(taken, table, scaled)
    onto = torch.where(taken, onto[:, : len(table)], onto[:, len(table) :])
    change = ((mixed - mixed[:, :1]) * (onto - onto[:, :1])).sum(dim=(0, 2))
    means = summary.channel_mean.to(weights)
    mean, turned_mean = table @ means, scaled @ means
    return Mixtures(
        onto=onto[:, 0].sum(dim=0),
        change=change[1:],
        norm=(mixed * onto).sum(dim=(0, 2)).clamp_min(0).sqrt(),
        amplification=scaling.amplification,
        channel_mean=split.constant(mean) + turned_mean - split.constant(turned_mean),
        is_left=~weighting.lost[1:],
    ).inputs(summary, weights)


def turned_angles(rows: Blocks, total: Tensor, weighting: Weighting) -> Inputs:
    """The angles, from the latents in blocks and sum c z, (C, P), of one weighting."""
    mixed = total[None].clone()
    scale_sums(mixed, weighting, 0.0, None)
    flat = mixed.flatten()
    onto = torch.cat([block.to(flat).flatten(1) @ flat for _, block in rows])
    none = (None,) * len(onto)
    lengths = weighting.summary.norms.to(flat) * flat.norm()
    return Inputs(angles(onto, lengths), none, none, none, none)


def _tables(weights: Tensor) -> Tensor:
    """The weights, and those without each latent, (N + 1, N); all of them for one that is all."""
    others = weights.expand(len(weights), -1).clone()
    others.fill_diagonal_(0.0)
    sums = others.sum(dim=1, keepdim=True)
    others = torch.where(sums > 0, others / sums, weights)
    return torch.cat([weights[None], others])


def _rings(weighting: Weighting) -> Tensor:
    """How many rings are taken off each mixture, (B,)."""
    cutoffs, edges = weighting.cut.cutoffs, ring_edges(weighting.summary, weighting.cut.split)
    if cutoffs is None:
        return torch.zeros_like(weighting.lost, dtype=torch.long)
    return (cutoffs[:, None] + SLACK >= cutoffs.new_tensor(edges)).sum(dim=1)
