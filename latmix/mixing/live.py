"""Statistics that follow a weight edit at once, whatever N is.

With a Gram matrix every weighting costs O(C N^2). Where that matrix would be too large, the last
weighted sum is kept instead: most edits change one weight and scale the others alike, so the new
sum is the old one scaled plus a latent or two, O(L); and so are the inputs' averages. Without it an
edit of one of 10,000 weights takes 37 times as long: 1.0 s, not 28 ms, on two busy cores (`python
-m tests.benchmarks store` times the edit).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from latmix.mixing.blocks import Blocks, blocks, weighted_sums
from latmix.mixing.formula import weight_table
from latmix.mixing.gram import Gram, StreamedProducts
from latmix.mixing.grid import Method, parse_method
from latmix.mixing.influence import Inputs, gram_influence, sum_influence
from latmix.mixing.splits import LARGEST_CUTOFF
from latmix.mixing.statistics import Statistics, mixture_statistics, sum_statistics
from latmix.mixing.summary import Summary
from latmix.mixing.turned_influence import LARGEST, turned_angles, turned_influence
from latmix.mixing.weighting import Weighting, weigh

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
        columns: of the inputs, whose averages are kept.
        linear: those averages (`Averages`).
    """

    weights: Tensor
    total: Tensor
    columns: Tensor
    linear: Tensor


class LiveStatistics:
    """The statistics of any weighting of one set of N latents on the CPU."""

    def __init__(
        self, summary: Summary, read: Callable[[Iterable[int]], Blocks], gram: Gram | None = None
    ) -> None:
        """Keep what is needed.

        Args:
            read: yields the blocks of the latents at these indices, their places counted from 0.
            gram: of the same latents; None keeps a running sum instead.
        """
        self.summary = summary
        self._read = read
        self._gram = gram
        self._last: _Running | None = None
        self._growth = 1.0
        self._some = np.zeros(0, dtype=np.int64)
        self._change = np.empty(summary.count)  # whose pages are kept

    @classmethod
    def of(cls, latents: Tensor) -> LiveStatistics:
        """Of latents (N, C, H, W) in memory, few enough for Gram matrices; for every method."""

        def read(indices: Iterable[int]) -> Blocks:
            return blocks(latents[list(indices)])

        gram = Gram.of(latents, LARGEST_CUTOFF)
        return cls(gram.summary, read, gram)

    @property
    def is_instant(self) -> bool:
        """Whether `statistics` reads no latent and takes a few milliseconds at most."""
        return self._gram is not None and self.summary.count <= INSTANT

    def statistics(self, weights: Sequence[float], method: str | Method) -> Statistics:
        """The statistics of the mixture with these N weights.

        Raises:
            ValueError: bad weights or an unknown method.
        """
        row, method = self._row(weights), parse_method(method)
        if self._gram is not None:
            return mixture_statistics(self._gram, row, method)
        return sum_statistics(*self._summed(row, method))

    def inputs(self, weights: Sequence[float], method: str | Method) -> Inputs:
        """What each latent is to the mixture with these N weights: angle, influence, and the
        mixture without it.

        From a Gram matrix O(C N^2) in all, but O(N^3) and slow for slerp and nao; without one,
        passes over the latents, and for slerp and nao the angles alone.

        Raises:
            ValueError: as `statistics`.
        """
        row, method, gram = self._row(weights), parse_method(method), self._gram
        turns = method.norm.turns
        if gram is not None and turns and self.summary.count <= LARGEST:
            return turned_influence(gram, row, method)
        if gram is not None and not turns:
            return gram_influence(gram, row, method)
        total, weighting = self._summed(row, method)
        if turns:
            return turned_angles(self._read_all(), total, weighting)
        return sum_influence(self._read_all(), total, weighting, self._streamed())

    def _row(self, weights: Sequence[float]) -> Tensor:
        return weight_table(weights, self.summary.count, torch.device("cpu"))[0]

    def _read_all(self) -> Blocks:
        return self._read(range(self.summary.count))

    def _streamed(self) -> StreamedProducts:
        return StreamedProducts(self._read_all, self.summary)

    def _summed(self, weights: Tensor, method: Method) -> tuple[Tensor, Weighting]:
        """sum c z, (C, P), of one weighting, with all in the summary that the method asks for."""
        self.summary = self.summary.serving(method, self._read_all)
        if method.norm.turns:
            weighting = weigh(method, self.summary, weights[None], self._streamed()).checked()
            held = weighting.coefficients[0].nonzero()[:, 0]
            return self._sum_of(held, weighting.coefficients[0, held]), weighting
        cut = self.summary.cut(method.split, weights[None])
        columns = self.summary.columns(cut, method.norm.per_channel)
        running = self._last = self._moved(weights, columns) or self._whole(weights, columns)
        known, products = (cut, self.summary.parted(running.linear[None])), self._streamed()
        weighting = weigh(method, self.summary, weights[None], products, known).checked()
        return running.total, weighting

    def _whole(self, weights: Tensor, columns: Tensor) -> _Running:
        self._growth, held = 1.0, weights.nonzero()[:, 0]
        self._some = held[:: len(held) // SAMPLE + 1].numpy()
        return _Running(weights, self._sum_of(held, weights[held]), columns, weights @ columns)

    def _moved(self, weights: Tensor, columns: Tensor) -> _Running | None:
        """The sums with these weights (N,), from the last where few moved by themselves."""
        if (last := self._last) is None:
            return None
        now, before = weights.numpy(), last.weights.numpy()
        some = self._some[before[self._some] > 0]
        if not len(some):
            return None
        # Where most of all moved by themselves, this is wrong, and all are summed again.
        ratios = now[some] / before[some]
        scale = float(np.partition(ratios, len(ratios) // 2)[len(ratios) // 2])
        change = np.subtract(now, np.multiply(before, scale, out=self._change), out=self._change)
        moved = torch.from_numpy(np.flatnonzero((change > SAME) | (change < -SAME)))
        self._growth *= max(1.0, scale)
        if len(moved) > FEW or self._growth > WORN:
            return None
        by, total = torch.from_numpy(change)[moved], scale * last.total
        if len(moved):
            total += self._sum_of(moved, by)
        is_same = columns is last.columns
        linear = scale * last.linear + by @ columns[moved] if is_same else weights @ columns
        return _Running(weights, total, columns, linear)

    def _sum_of(self, indices: Tensor, weights: Tensor) -> Tensor:
        rows = self._read(indices.tolist())
        return weighted_sums(rows, self.summary.shape, weights[None])[0]
