"""What pictures are measured by: sharpness, contrast, saturation, distances, and their intervals.

Pictures are (B, 3, H, W) in [-1, 1]; every measure of them is (B,). Features are (n, d), a row a
picture. The studies and the training of the built-in model use the same measures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

RESAMPLES = 2000
"""Bootstrap resamples of a mean."""

DISTANCE_RESAMPLES = 200
"""Bootstrap resamples of a distance, each of which costs the distance again."""


@dataclass(frozen=True)
class Estimate:
    """A mean, or another figure, and its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        digits = 0 if abs(self.mean) >= 100 else 1 if abs(self.mean) >= 10 else 2
        return f"{self.mean:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def estimate(values: Tensor) -> Estimate:
    """The mean of independent values (n,) with its bootstrap percentile interval."""
    values = values.double().cpu()
    means = values[_resamples(len(values), RESAMPLES)].mean(dim=1)
    return Estimate(float(values.mean()), *_interval(means))


def estimate_distance(
    distance: Callable[[Tensor, Tensor], float], some: Tensor, known: Tensor
) -> Estimate:
    """The distance of features (n, d) from known ones (k, d), and its bootstrap interval.

    The n rows are resampled, the k are not. A sample with repeated rows is further away than one
    without, so the resamples are moved to have the distance as their mean: the interval is the
    spread at this n, and leaves out what a larger n would change.
    """
    found = distance(some, known)
    drawn = _resamples(len(some), DISTANCE_RESAMPLES)
    spread = torch.tensor([distance(some[rows], known) for rows in drawn], dtype=torch.float64)
    low, high = _interval(spread - spread.mean())
    return Estimate(found, found + low, found + high)


def own_distance(
    distance: Callable[[Tensor, Tensor], float], known: Tensor, count: int
) -> Estimate:
    """What `count` rows drawn from the known features (k, d) themselves, with repetition, show: the
    distance that nothing can be expected to go below, and the interval that it falls in."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(len(known), (DISTANCE_RESAMPLES, count), generator=generator)
    found = torch.tensor([distance(known[rows], known) for rows in drawn], dtype=torch.float64)
    return Estimate(float(found.mean()), *_interval(found))


def _resamples(count: int, times: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(count, (times, count), generator=generator)


def _interval(values: Tensor) -> tuple[float, float]:
    low, high = values.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high


def grey(pictures: Tensor) -> Tensor:
    """Luma 0 .. 255, (B, H, W): Rec. 601."""
    weights = torch.tensor([0.299, 0.587, 0.114], device=pictures.device)
    return torch.einsum("bchw,c->bhw", pictures.float() * 127.5 + 127.5, weights)


def sharpness(pictures: Tensor) -> Tensor:
    """Variance of the Laplacian of the luma, four neighbours, without the border."""
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    edges = functional.conv2d(grey(pictures)[:, None], kernel[None, None].to(pictures.device))
    return edges.var(dim=(1, 2, 3))


def contrast(pictures: Tensor) -> Tensor:
    """Standard deviation of the luma."""
    return grey(pictures).std(dim=(1, 2))


def saturation(pictures: Tensor) -> Tensor:
    """Mean of HSV's saturation, (max - min)/max, in per cent."""
    values = pictures.float() * 0.5 + 0.5
    most, least = values.amax(dim=1), values.amin(dim=1)
    return 100 * ((most - least) / most.clamp_min(1 / 255)).mean(dim=(1, 2))


QUALITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "sharpness": sharpness,
    "contrast": contrast,
    "saturation": saturation,
}
"""What a picture is measured by on its own."""


def features(latents: Tensor) -> Tensor:
    """Of VAE latents (B, C, h, w): means over 2 x 2 regions and deviations by channel, (B, 5C)."""
    regions = functional.adaptive_avg_pool2d(latents.double(), 2).flatten(1)
    return torch.cat([regions, latents.double().std(dim=(2, 3))], dim=1)


def frechet_distance(one: Tensor, other: Tensor) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of features (n, d) and (k, d).

    Source: Heusel et al. 1706.08500, eq. 6. It is the FID for features of the Inception network
    alone; with others it is not to be compared with one.
    """
    one, other = one.double(), other.double()
    gap = (one.mean(dim=0) - other.mean(dim=0)).square().sum()
    first, second = one - one.mean(dim=0), other - other.mean(dim=0)
    first, second = first / (len(one) - 1) ** 0.5, second / (len(other) - 1) ** 0.5
    # tr (S1 S2)^(1/2) is the sum of the singular values of A1 A2^T, where S = A^T A.
    roots = torch.linalg.svdvals(_shortened(first) @ _shortened(second).T).sum()
    return float(gap + first.square().sum() + second.square().sum() - 2 * roots)


def _shortened(rows: Tensor) -> Tensor:
    """A with the same A^T A and no more rows than columns."""
    if len(rows) <= rows.shape[1]:
        return rows
    upper: Tensor = torch.linalg.qr(rows, mode="r").R
    return upper


def kernel_distance(one: Tensor, other: Tensor) -> float:
    """The unbiased square of the maximum mean discrepancy under k(x, y) = (x.y/d + 1)^3.

    Source: Binkowski et al. 1801.01401 (KID, with features of the Inception network).
    """
    one, other = one.double(), other.double()

    def kernel(left: Tensor, right: Tensor) -> Tensor:
        return (left @ right.T / left.shape[1] + 1) ** 3

    def within(rows: Tensor) -> Tensor:
        table, count = kernel(rows, rows), len(rows)
        return (table.sum() - table.diagonal().sum()) / (count * (count - 1))

    return float(within(one) + within(other) - 2 * kernel(one, other).mean())
