"""Solve z = g(z) for each row of a batch by itself: Picard iteration with Anderson acceleration.

Rows do not see one another: each has its own history, its own stop, and leaves the batch when it
has converged, so a latent does not depend on which pictures it was inverted beside.

Source: Anderson acceleration, type II, as in Walker & Ni, SIAM J. Numer. Anal. 49 (2011), eq. 2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from latmix.mixing.blocks import precise

Map = Callable[[Tensor, Tensor], Tensor]
"""g: states (k, ...) and the rows (k,) of the batch they are -> (k, ...)."""


@dataclass(frozen=True)
class Solution:
    """What `solving` found.

    Attributes:
        state: (B, ...), g applied to the best iterate of each row.
        residual: |g(z) - z| / |z| of that iterate, (B,).
        calls: how many times g was called.
    """

    state: Tensor
    residual: Tensor
    calls: int


def solving(
    g: Map, start: Tensor, tolerance: float, limit: int, memory: int = 3
) -> Generator[int, None, Solution]:
    """Iterate until each row's relative residual is at most `tolerance`, or for `limit` calls;
    yields between two calls of g how many there were, so that it can be left.

    Args:
        start: (B, ...) float32.
        memory: how many earlier differences Anderson acceleration uses; 0 is plain iteration.
    """
    count = start.shape[0]
    best = start.clone()
    best_residual = torch.full((count,), torch.inf, dtype=start.dtype, device=start.device)
    rows = torch.arange(count, device=start.device)
    state = start.reshape(count, -1)
    history: list[tuple[Tensor, Tensor]] = []
    calls = 0
    while len(rows) and calls < limit:
        if calls:
            yield calls
        image = g(state.reshape(-1, *start.shape[1:]), rows).reshape(len(rows), -1)
        calls += 1
        step = image - state
        residual = step.norm(dim=1) / state.norm(dim=1).clamp_min(torch.finfo(state.dtype).tiny)
        # The first image counts whatever it is, so that NaN is not hidden behind the start.
        better = (residual < best_residual[rows]) | (calls == 1)
        best[rows[better]] = image[better].reshape(-1, *start.shape[1:])
        best_residual[rows[better]] = residual[better]
        history = [*history[-memory:], (image, step)] if memory else []
        going = residual > tolerance
        rows = rows[going]
        history = [(old[going], change[going]) for old, change in history]
        state = _accelerated(history) if len(history) > 1 else image[going]
    return Solution(best, best_residual, calls)


def _accelerated(history: list[tuple[Tensor, Tensor]]) -> Tensor:
    """The next iterate: g_k - dG gamma, gamma the least-squares solution of dF gamma = f_k."""
    image, step = history[-1]
    images = torch.stack([image - old for old, _ in history[:-1]], dim=2)
    steps = torch.stack([step - old for _, old in history[:-1]], dim=2)
    kind = precise(image.device)
    normal = (steps.mT @ steps).to(kind)
    # A ridge of rounding size keeps the small system solvable once differences become parallel.
    ridge = normal.diagonal(dim1=1, dim2=2).sum(dim=1).clamp_min(torch.finfo(kind).tiny) * 1e-12
    normal = normal + ridge[:, None, None] * torch.eye(normal.shape[1]).to(normal)
    gamma: Tensor = torch.linalg.solve(normal, (steps.mT @ step[..., None]).to(kind))
    return image - (images @ gamma.to(images)).squeeze(2)
