"""A figure and its 95 % interval, by the bootstrap over what could have been drawn."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

LEVEL = 0.95
"""Share of what could have been drawn that every interval of a study holds."""

RESAMPLES = 2000
"""Bootstrap resamples of a mean."""


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
    means = values[resamples(len(values), RESAMPLES)].mean(dim=1)
    return Estimate(float(values.mean()), *interval(means))


def resamples(count: int, times: int, size: int | None = None) -> Tensor:
    """Rows of each of `times` resamples of `count` rows, (times, count): always the same ones.

    Args:
        size: of a resample, if not `count`.
    """
    generator = torch.Generator().manual_seed(0)
    return torch.randint(count, (times, size or count), generator=generator)


def interval(values: Tensor) -> tuple[float, float]:
    """The interval that the middle 95 % of the values (n,) lie in."""
    tail = (1 - LEVEL) / 2
    low, high = values.quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return low, high
