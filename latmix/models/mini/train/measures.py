"""What pictures are measured by: reconstruction, sharpness, contrast, saturation, distance, spread.

Pictures are (B, 3, H, W) in [-1, 1]; every measure of them is (B,).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        digits = 0 if abs(self.mean) >= 100 else 1 if abs(self.mean) >= 10 else 2
        return f"{self.mean:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def estimate(values: Tensor) -> Estimate:
    """The mean of independent values (n,) with its bootstrap percentile interval."""
    values = values.double().cpu()
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(len(values), (_RESAMPLES, len(values)), generator=generator)
    means = values[drawn].mean(dim=1)
    low, high = means.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return Estimate(float(values.mean()), low, high)


def psnr(one: Tensor, other: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, at most 100: 10 log10(4 / mean square error)."""
    error = (one.double() - other.double()).square().mean(dim=(1, 2, 3))
    return (10 * torch.log10(4 / error.clamp_min(4e-10))).clamp(max=100)


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


def features(latents: Tensor) -> Tensor:
    """Of VAE latents (B, C, h, w): means over 2 x 2 regions and deviations by channel, (B, 5C)."""
    regions = functional.adaptive_avg_pool2d(latents.double(), 2).flatten(1)
    return torch.cat([regions, latents.double().std(dim=(2, 3))], dim=1)


def frechet_distance(one: Tensor, other: Tensor) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of features (n, d) and (k, d).

    Source: Heusel et al. 1706.08500, eq. 6; with `features` it is no FID, and not to be compared
    with one.
    """
    gap = (one.mean(dim=0) - other.mean(dim=0)).square().sum()
    first, second = torch.cov(one.T), torch.cov(other.T)
    # The eigenvalues of a product of two positive semi-definite matrices are real and not negative.
    roots = torch.linalg.eigvals(first @ second).real.clamp_min(0).sqrt().sum()
    return float(gap + first.trace() + second.trace() - 2 * roots)
