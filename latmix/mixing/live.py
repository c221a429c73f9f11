"""Statistics that follow a weight edit at once, whatever N is.

With a Gram matrix every weighting costs O(C N^2). Where that matrix would be too large, the last
weighted sum is kept instead: most edits change one weight and scale the others alike, so the new
sum is the old one scaled plus a latent or two, O(L); and so are the inputs' averages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from latmix.mixing.direction import TURNED, Direction, GramProducts, StreamedProducts, direct
from latmix.mixing.formula import weight_table
from latmix.mixing.gram import Gram
from latmix.mixing.grid import Method, parse_method
from latmix.mixing.health import Health, blocks_health
from latmix.mixing.influence import (
    Inputs,
    block_projections,
    gram_projections,
    input_statistics,
)
from latmix.mixing.left_out import LARGEST, angles_alone, left_out_inputs
from latmix.mixing.statistics import Statistics, mixture_statistics, sum_statistics
from latmix.mixing.summary import Averages, Blocks, Split, Summary, weighted_sums

SAMPLE = 1000
"""Weights by which the common change of all is found."""

INSTANT = 512
"""Latents whose statistics follow from their Gram matrix within 10 ms on two slow cores."""

WORN = 1e3
"""Growth of a running sum, which grows its rounding too, after which the sum is made anew."""

SAME = 1e-12
"""What a weight may differ by from the common change and still count as not moved by itself."""

FEW = 8
"""Weights that may change by themselves before the sum is made anew."""


@dataclass(frozen=True)
class _Running:
    """What is kept of the last weighting.

    Attributes:
        weights: (N,).
        total: sum w z, (C, P).
        split: that the averages are for.
        averages: of the inputs.
    """

    weights: Tensor
    total: Tensor
    split: Split
    averages: Averages


class LiveStatistics:
    """The statistics of any weighting of one set of N latents on the CPU."""

    def __init__(
        self,
        summary: Summary,
        read: Callable[[Iterable[int]], Blocks],
        gram: Gram | None = None,
        whole_summary: Callable[[], Summary] | None = None,
    ) -> None:
        """Keep what is needed.

        Args:
            read: yields the blocks of the latents at these indices, their places counted from 0.
            gram: of the same latents; None keeps a running sum instead.
            whole_summary: makes the summary that a low-pass split or adain needs, when asked for.
        """
        self.summary = summary
        self._read = read
        self._gram = gram
        self._whole_summary = whole_summary
        self._last: _Running | None = None
        self._growth = 1.0
        self._some = np.zeros(0, dtype=np.int64)
        self._change = np.empty(summary.count)
        self._health: tuple[Health, ...] | None = None

    @property
    def is_instant(self) -> bool:
        """Whether `statistics` reads no latent and takes a few milliseconds at most."""
        return self._gram is not None and self.summary.count <= INSTANT

    def statistics(self, weights: Sequence[float], method: str | Method) -> Statistics:
        """The statistics of the mixture with these N weights.

        Raises:
            ValueError: bad weights or an unknown method.
        """
        row = weight_table(weights, self.summary.count, torch.device("cpu"))[0]
        if self._gram is not None:
            return mixture_statistics(self._gram, row, method)
        method = parse_method(method)
        total, direction, averages = self._total(row, method)
        return sum_statistics(total, self.summary, row, method, direction, averages)

    def inputs(self, weights: Sequence[float], method: str | Method) -> Inputs:
        """What each latent is to the mixture with these N weights: angle, influence, and the
        mixture without it.

        From a Gram matrix O(C N^2) in all, but O(N^3) and slow for slerp and nao; without one,
        passes over the latents, and for slerp and nao the angles alone.

        Raises:
            ValueError: as `statistics`.
        """
        row = weight_table(weights, self.summary.count, torch.device("cpu"))[0]
        method, gram = parse_method(method), self._gram
        if method.norm in TURNED and gram is not None and self.summary.count <= LARGEST:
            direct(method, self.summary, row[None], GramProducts(gram))
            return left_out_inputs(gram, row, method)
        if gram is not None and method.norm not in TURNED:
            projections = gram_projections(gram, row, method)
            return input_statistics(projections, self.summary, row, method, GramProducts(gram))
        total, direction, _ = self._total(row, method)
        rows = self._read(range(self.summary.count))
        if method.norm in TURNED:
            return angles_alone(rows, total, self.summary, row, direction, method)
        projections = block_projections(rows, total, self.summary, row, method)
        return input_statistics(projections, self.summary, row, method, self._streamed())

    def health(self, shape: tuple[int, ...]) -> tuple[Health, ...]:
        """The health of each latent, of shape (C, H, W); the first call reads them all."""
        if self._health is None:
            self._health = blocks_health(self._read(range(self.summary.count)), shape)
        return self._health

    def _total(self, weights: Tensor, method: Method) -> tuple[Tensor, Direction, Averages | None]:
        """sum c z, (C, P), its direction and, for plain sums, the averages of the inputs, with all
        in the summary that the method asks for."""
        if self._whole_summary is not None and not self.summary.serves(method):
            self.summary = self._whole_summary()
        direction = direct(method, self.summary, weights[None], self._streamed())
        if direction.residual is not None:
            held = direction.coefficients[0].nonzero()[:, 0]
            return self._sum_of(held.tolist(), direction.coefficients[0, held]), direction, None
        self._last = self._moved(weights, direction.split) or self._whole(weights, direction.split)
        return self._last.total, direction, self._last.averages

    def _streamed(self) -> StreamedProducts:
        return StreamedProducts(lambda: self._read(range(self.summary.count)), self.summary)

    def _moved(self, weights: Tensor, split: Split) -> _Running | None:
        """The sum with these weights (N,), from the last one where few moved by themselves."""
        last = self._last
        if last is None:
            return None
        now, before = weights.numpy(), last.weights.numpy()
        some = self._some[before[self._some] > 0]
        if not len(some):
            return None
        # Where most of all moved by themselves, this is wrong, and all are summed again.
        scale = float(np.partition(now[some] / before[some], len(some) // 2)[len(some) // 2])
        change = np.subtract(now, np.multiply(before, scale, out=self._change), out=self._change)
        moved = torch.from_numpy(np.flatnonzero((change > SAME) | (change < -SAME)))
        self._growth *= max(1.0, scale)
        if len(moved) > FEW or self._growth > WORN:
            return None
        by, total = torch.from_numpy(change)[moved], scale * last.total
        if len(moved):
            total += self._sum_of(moved.tolist(), by)
        if not split.equals(last.split):
            return _Running(weights, total, split, self.summary.averages(split, weights[None]))
        added = self.summary.averages(split, by[None], moved)
        ends = scale * last.weights[moved], weights[moved]
        return _Running(weights, total, split, last.averages.moved(scale, added, *ends))

    def _whole(self, weights: Tensor, split: Split) -> _Running:
        self._growth = 1.0
        held = weights.nonzero()[:, 0]
        self._some = held[:: len(held) // SAMPLE + 1].numpy()
        total = self._sum_of(held.tolist(), weights[held])
        return _Running(weights, total, split, self.summary.averages(split, weights[None]))

    def _sum_of(self, indices: list[int], weights: Tensor) -> Tensor:
        return weighted_sums(self._read(indices), self.summary, weights[None])[0]
