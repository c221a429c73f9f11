"""Norm-aware optimisation: distances along which latents stay likely, and the path between two.

The norm of an N(0, I) sample of L elements is chi distributed: log P(r) = (L-1) ln r - r^2/2 -
(L/2-1) ln 2 - lnGamma(L/2). A path costs the integral of -log P(|x|) over its length. As -log P
rises steeply to both sides of the likeliest norm sqrt(L-1) and is 0.57 on it, a shortest path keeps
to that norm, where its cost is 0.57 sqrt(L-1) theta, theta the angle it turns. Minimising the cost
of the paths to a centroid, sum w_n cost_n - log P(|c|), is therefore to minimise sum w_n theta_n
at that norm: the weighted spherical median, which is how the method `nao` finds it
(`sphere.spherical_median`; the paths' own pull on |c|, below 0.6 element units, is left out).

Source: Samuel et al., *Norm-guided latent space exploration for text-to-image generation*
(NeurIPS 2023, arXiv 2306.08687), which descends on the points themselves.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

POINTS = 20
"""Segments of a path."""

STEPS = 60
"""Line searches of a path's descent at most."""


def likeliest_norm(radius: float) -> float:
    """sqrt(L-1), the mode of chi, for R = sqrt(L)."""
    return math.sqrt(max(radius**2 - 1, 1.0))


def log_likelihood(norm: Tensor, length: int) -> Tensor:
    """log P(r) of the norm of an N(0, I) sample of `length` elements."""
    constant = (length / 2 - 1) * math.log(2) + math.lgamma(length / 2)
    return (length - 1) * norm.log() - norm.square() / 2 - constant


def path_loss(points: Tensor, length: int, longest: float, penalty: float = 1.0) -> Tensor:
    """-sum |x_{i+1} - x_i| log P(|x_i + x_{i+1}|/2) + penalty sum relu(|x_{i+1} - x_i| - longest).

    Args:
        points: (K+1, D) in any orthonormal basis: only norms and distances count.
        length: L, elements of a latent.
        longest: what a segment may measure freely.
    """
    steps = (points[1:] - points[:-1]).norm(dim=-1)
    middles = ((points[1:] + points[:-1]) / 2).norm(dim=-1)
    excess = torch.relu(steps - longest).sum()
    loss: Tensor = penalty * excess - (steps * log_likelihood(middles, length)).sum()
    return loss
