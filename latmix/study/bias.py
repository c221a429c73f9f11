"""The bias of centroids against N: L&K figure 4 and the law behind it.

Latents that share a bias of size b per element have a mean of norm R sqrt(b^2 + 1/N), so that
scaling it back to R multiplies the bias by alpha = 1/sqrt(b^2 + 1/N): about sqrt(N) at first, at
most 1/b. Only statistics are computed; no picture is generated.

Source: L&K section 4.2.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch

from latmix.jobs.progress import Progress
from latmix.measures.intervals import Estimate, interval
from latmix.mixing.grid import parse_method
from latmix.mixing.live import LiveStatistics
from latmix.mixing.statistics import Statistics

COUNTS = 10
"""Most values of N that are taken where none are named."""

LAWS = ("paper", "spread")
"""The paper's law, for latents of unit variance, and the same with their own variance."""

CURVE_POINTS = 120

GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Point:
    """Centroids of N pictures drawn at random: means over draws, and where 95 % of the draws lie.

    Attributes:
        count: N.
        draws: how many centroids; fewer than asked for where there are no more subsets.
        amplification: alpha.
        norm_ratio: |z'| / sqrt(L).
        channel_mean: of each channel of z'.
    """

    count: int
    draws: int
    amplification: Estimate
    norm_ratio: Estimate
    channel_mean: tuple[Estimate, ...]

    def value(self, channel: int | None) -> Estimate:
        """The mean of a channel; of None the amplification."""
        return self.amplification if channel is None else self.channel_mean[channel]


@dataclass(frozen=True)
class Law:
    """alpha = 1/sqrt(b^2 + s^2/N), fitted.

    Attributes:
        bias: b, per element.
        spread: s, the standard deviation of an element about the bias; the paper's law has 1.
        r_squared: 1 - residual^2 / variance of alpha; None where alpha does not vary.
        residual: root mean square of alpha - law over the values of N.
    """

    bias: float
    spread: float
    r_squared: float | None
    residual: float

    def amplification(self, count: float) -> float:
        return amplification(self.bias, count, self.spread)


@dataclass(frozen=True)
class BiasSeries:
    """One folder.

    Attributes:
        name: the folder's.
        pictures: how many the draws are from.
        input_channel_mean: mean over those of each channel.
        points: by N.
        law: None under `lin`, which amplifies nothing.
    """

    name: str
    method: str
    pictures: int
    input_channel_mean: tuple[float, ...]
    points: tuple[Point, ...]
    law: Law | None

    def expected(self, count: float, channel: int | None = None) -> float | None:
        """What the law says of the amplification alpha, or of a channel's mean: d + alpha
        (mean - d), where d is what the method's mean split leaves as it is. L&K section 5."""
        if self.law is None:
            return None
        alpha = self.law.amplification(count)
        if channel is None:
            return alpha
        means = torch.tensor(self.input_channel_mean, dtype=torch.float64)
        common = float(parse_method(self.method).split.constant(means)[channel])
        return common + alpha * (self.input_channel_mean[channel] - common)

    def curve(self, channel: int | None = None) -> list[tuple[float, float]]:
        """The law at values of N evenly spaced by sqrt(N); empty where there is none."""
        first, last = (math.sqrt(self.points[at].count) for at in (0, -1))
        step = (last - first) / (CURVE_POINTS - 1)
        counts = ((first + index * step) ** 2 for index in range(CURVE_POINTS))
        expected = ((count, self.expected(count, channel)) for count in counts)
        return [(count, value) for count, value in expected if value is not None]


def amplification(bias: float, count: float, spread: float = 1.0) -> float:
    """alpha = 1/sqrt(b^2 + s^2/N). L&K section 4.2, where s = 1."""
    return 1.0 / math.sqrt(bias * bias + spread * spread / count)


def fit_law(
    counts: Sequence[float], amplifications: Sequence[float], norm_ratio: float | None = None
) -> Law:
    """The b whose law has the least squared distance to the amplifications.

    Args:
        counts: N, each at least 1.
        amplifications: alpha at each N, positive.
        norm_ratio: root mean square of |z_n|/R. Given, s is what b leaves of it:
            s^2 = (|z|/R)^2 - b^2; None is the paper's s = 1.

    Raises:
        ValueError: no points, or values that no centroid has.
    """
    if not counts or len(counts) != len(amplifications):
        raise ValueError(f"counts: {len(counts)} for {len(amplifications)} amplifications.")
    if min(counts) < 1 or not all(0 < a < math.inf for a in amplifications):
        raise ValueError("amplifications must be positive and finite, of counts of at least 1.")

    def spread(bias: float) -> float:
        return 1.0 if norm_ratio is None else math.sqrt(max(0.0, norm_ratio**2 - bias**2))

    def error(bias: float) -> float:
        pairs = zip(counts, amplifications, strict=True)
        return math.fsum((amplification(bias, n, spread(bias)) - a) ** 2 for n, a in pairs)

    # With a larger b than this the law would be below every amplification.
    end = 1.0 / min(amplifications)
    start = 1e-9 * end
    best = _least(error, start, end if norm_ratio is None else min(end, norm_ratio))
    mean = math.fsum(amplifications) / len(amplifications)
    variance = math.fsum((alpha - mean) ** 2 for alpha in amplifications)
    left = error(best)
    explained = 1.0 - left / variance if variance > 1e-12 * mean * mean else None
    return Law(best, spread(best), explained, math.sqrt(left / len(counts)))


def default_counts(pictures: int) -> list[int]:
    """Squares up to the number of pictures, at most `COUNTS` of them: evenly spaced by sqrt(N)."""
    largest = math.isqrt(pictures)
    some = min(COUNTS, largest)
    roots = {round(1 + index * (largest - 1) / max(1, some - 1)) for index in range(some)}
    return sorted(root * root for root in roots)


@dataclass(frozen=True)
class Drawing:
    """How centroids are drawn and what is fitted.

    Attributes:
        method: a name of the grid.
        draws: centroids at each N, without replacement. Those of one folder share pictures: at an
            N close to the folder's own, their interval is narrower than that of new pictures.
        seed: of the draws; those at one N do not depend on the other values.
        law: of `LAWS`.
    """

    method: str = "fix/0"
    draws: int = 32
    seed: int = 0
    law: str = LAWS[0]

    def __post_init__(self) -> None:
        parse_method(self.method)
        if self.law not in LAWS:
            raise ValueError(f"the law must be {' or '.join(LAWS)}, not {self.law!r}.")


def measure_bias(
    name: str, live: LiveStatistics, counts: Sequence[int], drawing: Drawing
) -> Generator[Progress, None, BiasSeries]:
    """Draw centroids of N of some latents, and fit the law to what they are.

    Args:
        counts: the values of N, each from 1 to the number of latents.

    Raises:
        ValueError: an N beyond them, latents that cancel.
    """
    total, wanted, method = live.summary.count, sorted(set(counts)), drawing.method
    if not wanted or wanted[0] < 1 or wanted[-1] > total:
        raise ValueError(f"N must be from 1 to {total}, the pictures of {name}.")
    points: list[Point] = []
    for count in wanted:
        centroids: list[Statistics] = []
        for chosen in subsets(total, count, drawing.draws, drawing.seed):
            weights = [1.0 if index in chosen else 0.0 for index in range(total)]
            centroids.append(live.statistics(weights, method))
            yield Progress("measure", len(points), len(wanted), note=f"{name}, N = {count}")
        points.append(_point(count, centroids))
    fitted = None
    if not parse_method(method).norm.is_plain:
        squares = float(live.summary.squared_norm.mean())
        ratio = math.sqrt(squares) / live.summary.radius if drawing.law == "spread" else None
        alphas = [point.amplification.mean for point in points]
        fitted = fit_law([point.count for point in points], alphas, ratio)
    means = tuple(live.summary.channel_mean.mean(dim=0).tolist())
    return BiasSeries(name, method, total, means, tuple(points), fitted)


def subsets(total: int, count: int, draws: int, seed: int) -> Iterator[frozenset[int]]:
    """Random subsets of `count` of `total`, or all there are where those are no more."""
    if math.comb(total, count) <= draws:
        yield from map(frozenset, combinations(range(total), count))
        return
    source = random.Random(f"{seed}/{count}")
    for _ in range(draws):
        yield frozenset(source.sample(range(total), count))


def mean_of_draws(values: Sequence[float]) -> Estimate:
    """The mean, and the interval that 95 % of the draws lie in."""
    table = torch.tensor(values, dtype=torch.float64)
    return Estimate(float(table.mean()), *interval(table))


def _point(count: int, centroids: Sequence[Statistics]) -> Point:
    channels = zip(*(each.channel_mean for each in centroids), strict=True)
    return Point(
        count,
        len(centroids),
        mean_of_draws([each.amplification for each in centroids]),
        mean_of_draws([each.norm_ratio for each in centroids]),
        tuple(map(mean_of_draws, channels)),
    )


def _least(error: Callable[[float], float], start: float, end: float) -> float:
    """Where a function of one number on [start, end] is least: the best of a grid, refined by
    golden sections."""
    step = (end - start) / 256
    centre = min((start + index * step for index in range(257)), key=error)
    low, high = max(start, centre - step), min(end, centre + step)
    while high - low > 1e-12 * end:
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if error(left) <= error(right):
            high = right
        else:
            low = left
    return low if error(low) <= error(high) else high
