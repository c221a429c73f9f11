"""How far a set of pictures is from another, by their features (n, d)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from latmix.measures.intervals import Estimate, interval, resamples

DISTANCE_RESAMPLES = 200
"""Bootstrap resamples of a distance, each of which costs the distance again."""

KERNEL_ROWS = 1024
"""Rows of a kernel table at a time."""

Distance = Callable[[Tensor], float]
"""Of features (n, d) from others that it knows."""


def features(latents: Tensor) -> Tensor:
    """Of VAE latents (B, C, h, w): means over 2 x 2 regions and deviations by channel, (B, 5C)."""
    regions = functional.adaptive_avg_pool2d(latents.double(), 2).flatten(1)
    return torch.cat([regions, latents.double().std(dim=(2, 3))], dim=1)


def frechet_distance(one: Tensor, other: Tensor) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of features (n, d) and (k, d), n, k > 1.

    Source: Heusel et al. 1706.08500, eq. 6. It is the FID for features of the Inception network
    alone; with others it is not to be compared with one.
    """
    return frechet_from(other)(one)


def frechet_from(known: Tensor) -> Distance:
    """The Frechet distance from known features (k, d): for many samples, a part is done once."""
    mean, root = _moments(known)
    trace, short = root.square().sum(), _shortened(root)

    def distance(some: Tensor) -> float:
        own_mean, own_root = _moments(some)
        # tr (S1 S2)^(1/2) is the sum of the singular values of A1 A2^T, where S = A^T A.
        roots = torch.linalg.svdvals(_shortened(own_root) @ short.T).sum()
        gap = (own_mean - mean).square().sum()
        return float(gap + own_root.square().sum() + trace - 2 * roots)

    return distance


def _moments(rows: Tensor) -> tuple[Tensor, Tensor]:
    """The mean m (d,) and a root A (n, d) of the covariance S = A^T A."""
    rows = rows.double()
    mean = rows.mean(dim=0)
    return mean, (rows - mean) / (len(rows) - 1) ** 0.5


def _shortened(rows: Tensor) -> Tensor:
    """A with the same A^T A and no more rows than columns."""
    if len(rows) <= rows.shape[1]:
        return rows
    upper: Tensor = torch.linalg.qr(rows, mode="r").R
    return upper


def kernel_from(known: Tensor) -> Distance:
    """From known features (k, d): the unbiased square of the maximum mean discrepancy under
    k(x, y) = (x.y/d + 1)^3, which may fall below 0.

    Source: Binkowski et al. 1801.01401 (KID, for features of the Inception network).
    """
    known = known.double()
    within = _mean_kernel(known)

    def distance(some: Tensor) -> float:
        some = some.double()
        return _mean_kernel(some) + within - 2 * float(_kernel(some, known).mean())

    return distance


def _mean_kernel(rows: Tensor) -> float:
    """The mean of k over all pairs of two rows, in blocks."""
    parts = (rows[first : first + KERNEL_ROWS] for first in range(0, len(rows), KERNEL_ROWS))
    total = math.fsum(float(_kernel(part, rows).sum()) for part in parts)
    alike = float((rows.square().sum(dim=1) / rows.shape[1] + 1).pow(3).sum())
    return (total - alike) / (len(rows) * (len(rows) - 1))


def _kernel(left: Tensor, right: Tensor) -> Tensor:
    return (left @ right.T / left.shape[1] + 1) ** 3


def estimate_distance(distance: Distance, some: Tensor) -> Estimate:
    """The distance of features (n, d), and its bootstrap interval.

    A sample with repeated rows is further away than one without, so the resamples are moved to have
    the distance as their mean: the interval is the spread at this n, and leaves out what a larger n
    would change.
    """
    found = distance(some)
    drawn = resamples(len(some), DISTANCE_RESAMPLES)
    spread = torch.tensor([distance(some[rows]) for rows in drawn], dtype=torch.float64)
    low, high = interval(spread - spread.mean())
    return Estimate(found, found + low, found + high)


def sampled_distance(distance: Distance, rows: Tensor, count: int) -> Estimate:
    """The distance of `count` rows drawn, with repetition, from features (k, d): the mean over many
    samples, and the interval that they fall in. For the features that the distance is from it is
    what nothing can be expected to be nearer than."""
    drawn = resamples(len(rows), DISTANCE_RESAMPLES, count)
    found = torch.tensor([distance(rows[some]) for some in drawn], dtype=torch.float64)
    return Estimate(float(found.mean()), *interval(found))
