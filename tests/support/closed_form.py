"""A denoiser without a network: independent Gaussian data, whose whole ODE is known.

For data N(mean, variance) an element at a level (a, s) has the standard deviation
sqrt(a^2 variance + s^2), and along the exact trajectory (x - a mean) / that is constant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from latmix.models.protocol import Conditioning
from latmix.sampling.levels import Levels


@dataclass(frozen=True)
class GaussianNetwork:
    """The exact output for Gaussian data, elementwise.

    Attributes:
        mean, variance: of the data, broadcast over (B, C, H, W).
    """

    levels: Levels
    mean: Tensor
    variance: Tensor

    def predict(self, state: Tensor, time: float, conditioning: Conditioning) -> Tensor:
        a, s = self._level(time)
        # A row's guidance shifts its mean, so that two prompts disagree.
        mean = self.mean + conditioning.tensors["shift"].reshape(-1, 1, 1, 1)
        eps = s * (state - a * mean) / (a * a * self.variance + s * s)
        clean = (state - s * eps) / a if a else self.mean
        return {
            "epsilon": lambda: eps,
            "v_prediction": lambda: a * eps - s * clean,
            "flow": lambda: eps - clean,
        }[self.levels.prediction]()

    def _level(self, time: float) -> tuple[float, float]:
        if self.levels.prediction == "flow":
            return 1 - time, time
        index = self.levels.times.index(time)
        return self.levels.a[index], self.levels.s[index]

    def exact_noise(self, state: Tensor, index: int = -1) -> Tensor:
        """The state at the noisiest level of the trajectory through a state at level `index`."""
        levels = self.levels
        a1, s1, a0, s0 = levels.a[index], levels.s[index], levels.a[0], levels.s[0]
        width = lambda a, s: torch.sqrt(a * a * self.variance + s * s)  # noqa: E731
        return a0 * self.mean + (state - a1 * self.mean) * width(a0, s0) / width(a1, s1)


def told(count: int, shift: float = 0.0) -> Conditioning:
    """Conditioning that shifts the data's mean."""
    return Conditioning({"shift": torch.full((count, 1), shift, dtype=torch.float64)})


def flow_levels(steps: int) -> Levels:
    """Rectified-flow levels, evenly spaced."""
    sigma = [1 - index / steps for index in range(steps + 1)]
    return Levels(tuple(sigma[:-1]), tuple(1 - s for s in sigma), tuple(sigma), "flow")


def smooth_levels(steps: int, prediction: str) -> Levels:
    """Variance-preserving levels on a smooth path, so that halving the steps halves every step."""
    angles = [1.5 - 1.45 * index / steps for index in range(steps + 1)]
    return Levels(
        tuple(float(index) for index in range(steps)),
        tuple(math.cos(angle) for angle in angles),
        tuple(math.sin(angle) for angle in angles),
        prediction,
    )


def network(levels: Levels) -> GaussianNetwork:
    """Of seeded data whose elements have different means and variances."""
    torch.manual_seed(0)
    shape = (1, 3, 4, 4)
    mean = 0.5 * torch.randn(shape, dtype=torch.float64)
    return GaussianNetwork(levels, mean, 0.05 + torch.rand(shape, dtype=torch.float64))


def data(net: GaussianNetwork, count: int = 3) -> Tensor:
    """Seeded samples, (count, 3, 4, 4) float64."""
    torch.manual_seed(1)
    return net.mean + net.variance.sqrt() * torch.randn(count, 3, 4, 4, dtype=torch.float64)


def relative(one: Tensor, other: Tensor) -> float:
    """|one - other| / |other|."""
    return float((one - other).norm() / other.norm())
