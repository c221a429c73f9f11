"""The one noise that every picture is given, and for how many levels of a trajectory.

Source: Staniszewski et al. 2410.23530.
"""

from __future__ import annotations

import torch
from torch import Tensor

SHARED = 0.04
"""Part of a trajectory's levels that shared noise makes, at its clean end."""


def shared_levels(steps: int) -> int:
    """How many levels shared noise makes: at least one, and never the noisiest."""
    return min(max(1, round(SHARED * steps)), steps - 1)


def shared_noise(like: Tensor) -> Tensor:
    """The one noise (C, H, W) that every picture of this shape (B, C, H, W) is given."""
    source = torch.Generator().manual_seed(0)
    return torch.randn(like.shape[1:], generator=source).to(like)
