"""How alike two pictures are, pixel by pixel and by their structure."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from latmix.models.pixels import to_pixels

Measure = Callable[[Image.Image, Image.Image], float]
"""How alike two RGB pictures of one size are."""

WINDOW, SIGMA = 11, 1.5
"""Pixels along a side of SSIM's Gaussian window, and its standard deviation."""


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal-to-noise ratio in dB of two RGB pictures of one size; at most 100."""
    first, second = to_pixels([one]), to_pixels([other])
    error = float((first.double() - second.double()).square().mean())
    return 100.0 if error == 0 else min(100.0, 10 * math.log10(4.0 / error))


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Structural similarity of two RGB pictures of one size: 1 where they are the same.

    (2 m1 m2 + c1)(2 s12 + c2) / ((m1^2 + m2^2 + c1)(s1^2 + s2^2 + c2)) of the means, variances and
    covariance under a Gaussian window, c1 = (0.01 R)^2, c2 = (0.03 R)^2, R the range of a pixel;
    the mean over the places where the window fits, and over the three colours. The window of a
    picture smaller than it is the largest odd one that fits.

    Source: Wang et al. 2004, Image Quality Assessment, equation 13 and section III.C.
    """
    first, second = to_pixels([one]).double(), to_pixels([other]).double()
    side = min(WINDOW, (min(first.shape[2:]) - 1) // 2 * 2 + 1)
    products = torch.cat([first, second, first * first, second * second, first * second])
    mean1, mean2, square1, square2, cross = _blurred(products, side)
    variance1, variance2 = square1 - mean1 * mean1, square2 - mean2 * mean2
    covariance = cross - mean1 * mean2
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    # The means are of pixels in [-1, 1]; the formula takes those that start at black.
    mean1, mean2 = mean1 + 1, mean2 + 1
    structure = (2 * covariance + c2) / (variance1 + variance2 + c2)
    light = (2 * mean1 * mean2 + c1) / (mean1 * mean1 + mean2 * mean2 + c1)
    return float((light * structure).mean())


def _blurred(rows: Tensor, side: int) -> Tensor:
    """Means (B, 3, H', W') of (B, 3, H, W) under the Gaussian window, where it fits."""
    at = torch.arange(side, dtype=rows.dtype) - side // 2
    line = torch.exp(-at.square() / (2 * SIGMA**2))
    line = line / line.sum()
    flat = rows.flatten(0, 1)[:, None]
    across = functional.conv2d(flat, line.view(1, 1, 1, -1))
    both = functional.conv2d(across, line.view(1, 1, -1, 1))
    return both.view(*rows.shape[:2], *both.shape[2:])
