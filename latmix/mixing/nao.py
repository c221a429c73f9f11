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


def log_likelihood(norm: Tensor, length: int) -> Tensor:
    """log P(r) of the norm of an N(0, I) sample of `length` elements."""
    constant = (length / 2 - 1) * math.log(2) + math.lgamma(length / 2)
    return (length - 1) * norm.log() - norm.square() / 2 - constant


def path_loss(points: Tensor, length: int, longest: float) -> Tensor:
    """-sum |x_{i+1} - x_i| log P(|x_i + x_{i+1}|/2) + sum relu(|x_{i+1} - x_i| - longest).

    Args:
        points: (K+1, D) in any orthonormal basis: only norms and distances count.
        length: L, elements of a latent.
        longest: what a segment may measure freely.
    """
    steps = (points[1:] - points[:-1]).norm(dim=-1)
    middles = ((points[1:] + points[:-1]) / 2).norm(dim=-1)
    excess = torch.relu(steps - longest).sum()
    loss: Tensor = excess - (steps * log_likelihood(middles, length)).sum()
    return loss


def path(start: Tensor, end: Tensor, points: int = POINTS, steps: int = STEPS) -> Tensor:
    """The path of least `path_loss` between two latents.

    The best path lies in the plane of its ends, as reflecting in that plane changes no norm and no
    distance: it is found as `points` - 1 pairs of coordinates, in no time whatever L is.

    Args:
        start, end: of one shape, not zero and not opposite.
        points: segments; where the great circle's are no longer than a tenth more, none costs.
        steps: iterations of L-BFGS at most, none of which raises the loss; 0 is the great circle.

    Returns:
        (points + 1, ...), the ends themselves first and last.

    Raises:
        ValueError: other shapes, a latent that is zero or not finite, or opposite ones.
    """
    first, last = _checked(start, end)
    across = first / first.norm()
    along = last - (last @ across) * across
    along = along / along.norm().clamp_min(torch.finfo(along.dtype).tiny)
    angle = torch.atan2(last @ along, last @ across)
    share = torch.linspace(0, 1, points + 1, dtype=torch.float64)
    norms = torch.lerp(first.norm(), last.norm(), share)
    flat = torch.stack([norms * (share * angle).cos(), norms * (share * angle).sin()], dim=1)
    flat = _descended(flat, first.numel(), steps)
    found: Tensor = flat[:, :1] * across + flat[:, 1:] * along
    found[0], found[-1] = first, last
    kind = torch.float64 if start.dtype == torch.float64 else torch.float32
    return found.reshape(-1, *start.shape).to(kind)


def _descended(flat: Tensor, length: int, steps: int) -> Tensor:
    """Points in the plane, (K+1, 2), with those between the ends where the loss is least."""
    longest = 1.1 * float((flat[1:] - flat[:-1]).norm(dim=1).max())
    inner = flat[1:-1].clone().requires_grad_()
    descent = torch.optim.LBFGS([inner], max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        descent.zero_grad()
        value = path_loss(torch.cat([flat[:1], inner, flat[-1:]]), length, longest)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():  # latents may come from under no_grad
        descent.step(loss)  # type: ignore[no-untyped-call]
    return torch.cat([flat[:1], inner.detach(), flat[-1:]])


def _checked(start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Ends that a path can be between, flat, in float64."""
    if start.shape != end.shape:
        raise ValueError(f"end must have start's shape {tuple(start.shape)}, not {end.shape}.")
    first, last = start.flatten().double(), end.flatten().double()
    if not bool(torch.isfinite(first).all() & torch.isfinite(last).all()):
        raise ValueError("start and end must be finite, but some element is NaN or infinite.")
    size = first.norm() * last.norm()
    if not bool(size > 0):
        raise ValueError("start and end must not be zero: they have no direction.")
    if bool(first @ last <= -size * (1 - 1e-12)):
        raise ValueError("start and end are opposite: every great circle is as short.")
    return first, last
