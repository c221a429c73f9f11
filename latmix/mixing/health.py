"""Latents' health: how far a latent is from the N(0, I) noise that a diffusion model starts from.

Inversion at a high guidance scale or with few steps leaves latents whose norm is too large, whose
channels are biased, or in which neighbours are alike; mixing such latents amplifies what they
share. Every figure is computed in float64 from the latent itself, in passes of bounded memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor

from latmix.mixing.blocks import Blocks
from latmix.mixing.low_pass import Spectrum, half_plane

LOW_CYCLES = 2.0
"""Cycles per latent width up to which a frequency is low: the cut of the split lp:2."""


@dataclass(frozen=True)
class Health:
    """Figures of one latent z (C, H, W). Deviations e are from the mean of each channel.

    A latent without any deviation has 0 for the last four.

    Attributes:
        norm_ratio: |z| / sqrt(L).
        channel_mean: mean of each channel.
        excess_kurtosis: mean e^4 / (mean e^2)^2 - 3 over all elements; above 0: heavy tails.
        low_share: share of |e|^2 at frequencies of up to LOW_CYCLES.
        correlation_across, correlation_down: of e between horizontal and vertical neighbours.
    """

    norm_ratio: float
    channel_mean: tuple[float, ...]
    excess_kurtosis: float
    low_share: float
    correlation_across: float
    correlation_down: float

    @property
    def bias(self) -> float:
        """The largest channel mean, whatever its sign."""
        return max(abs(mean) for mean in self.channel_mean)

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def mean(cls, rows: Sequence[Health]) -> Health:
        """The mean of each figure; that of the channel means is the bias that all latents share."""
        means = zip(*(row.channel_mean for row in rows), strict=True)
        names = [one.name for one in fields(cls) if one.name != "channel_mean"]
        return cls(
            channel_mean=tuple(math.fsum(column) / len(rows) for column in means),
            **{name: math.fsum(getattr(row, name) for row in rows) / len(rows) for name in names},
        )


class Expected(NamedTuple):
    """Mean and standard deviation of a figure over samples of N(0, I)."""

    mean: float
    spread: float


def latents_health(latents: Tensor) -> tuple[Health, ...]:
    """The health of each of N latents (N, C, H, W).

    Raises:
        ValueError: another shape.
    """
    if latents.ndim != 4:
        raise ValueError(f"latents must be (N, C, H, W), not {tuple(latents.shape)}.")
    return tuple(_block_health(latent[None].double())[0] for latent in latents)


def blocks_health(rows: Blocks, shape: tuple[int, ...]) -> tuple[Health, ...]:
    """The same of latents of a shape (C, H, W) that come in blocks."""
    return tuple(
        health for _, block in rows for health in _block_health(block.double().reshape(-1, *shape))
    )


def expected_health(shape: tuple[int, ...]) -> dict[str, Expected]:
    """What each figure is for N(0, I) latents of a shape (C, H, W), to first order in 1/L.

    A channel mean is N(0, 1/P); the spread of the norm is that of a chi distribution, of the excess
    kurtosis sqrt(24/L), of a correlation one over the root of the pairs; the share of M of P - 1
    frequencies is Beta(C M/2, C (P - 1 - M)/2).
    """
    channels, height, width = shape
    places, length = height * width, math.prod(shape)
    waves = half_plane(height, width, LOW_CYCLES, torch.float64, torch.device("cpu"))
    slow, whole = channels * float(waves.weight.sum()) / 2, channels * (places - 1) / 2
    share_spread = math.sqrt(slow * (whole - slow) / (whole + 1)) / whole if whole else 0.0
    return {
        "norm_ratio": Expected(1.0, 1 / math.sqrt(2 * length)),
        "channel_mean": Expected(0.0, 1 / math.sqrt(places)),
        "bias": _largest(channels, 1 / math.sqrt(places)),
        "excess_kurtosis": Expected(0.0, math.sqrt(24 / length)),
        "low_share": Expected(slow / whole if whole else 0.0, share_spread),
        "correlation_across": Expected(0.0, 1 / math.sqrt(max(1, channels * height * (width - 1)))),
        "correlation_down": Expected(0.0, 1 / math.sqrt(max(1, channels * (height - 1) * width))),
    }


def _block_health(latents: Tensor) -> list[Health]:
    """Of (k, C, H, W)."""
    length = latents[0].numel()
    means = latents.mean(dim=(2, 3))
    rest = latents - means[..., None, None]
    energy = rest.square().sum(dim=(1, 2, 3))
    # What rounding leaves of a constant latent is not a deviation.
    flat = energy <= 1e-20 * latents.square().sum(dim=(1, 2, 3))
    energy = torch.where(flat, torch.inf, energy)
    fourth = rest.square().square().sum(dim=(1, 2, 3))
    kurtosis = torch.where(flat, 0.0, length * fourth / energy.square() - 3)
    low = Spectrum.of(rest, LOW_CYCLES).energy(torch.tensor([LOW_CYCLES]).to(latents))[0] / energy
    columns = (
        latents.square().sum(dim=(1, 2, 3)).sqrt() / math.sqrt(length),
        kurtosis,
        low,
        _correlation(rest[..., :, :-1], rest[..., :, 1:], energy / length),
        _correlation(rest[..., :-1, :], rest[..., 1:, :], energy / length),
    )
    figures = torch.stack(columns, dim=1).tolist()
    return [
        Health(figure[0], tuple(mean), *figure[1:])
        for figure, mean in zip(figures, means.tolist(), strict=True)
    ]


def _correlation(one: Tensor, other: Tensor, variance: Tensor) -> Tensor:
    """Mean product of neighbours over the variance (k,); 0 where there are no neighbours."""
    pairs = max(1, one[0].numel())
    return (one * other).sum(dim=(1, 2, 3)) / pairs / variance


def _largest(count: int, spread: float) -> Expected:
    """Of the largest size among `count` normal numbers: distributed as erf(x / sqrt 2)^count."""
    x = torch.linspace(0, 10, 2001, dtype=torch.float64)
    above = 1 - torch.erf(x / math.sqrt(2)) ** count
    mean, square = (float(torch.trapezoid(f * above, x)) for f in (torch.ones_like(x), 2 * x))
    return Expected(mean * spread, math.sqrt(square - mean * mean) * spread)
