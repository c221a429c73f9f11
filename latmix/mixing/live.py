"""Statistics that follow a weight edit at once, whatever N is.

With a Gram matrix every weighting costs O(C N^2). Where that matrix would be too large, the last
weighted sum is kept instead: most edits change one weight and scale the others alike, so the new
sum is the old one scaled plus a latent or two, O(L).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

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
from latmix.mixing.summary import Blocks, Summary, weighted_sums

SAMPLE = 1000
"""Weights by which the common change of all is found."""

INSTANT = 512
"""Latents whose statistics follow from their Gram matrix within 10 ms on two slow cores."""

WORN = 1e3
"""Growth of a running sum, which grows its rounding too, after which the sum is made anew."""

FEW = 8
"""Weights that may change by themselves before the sum is made anew."""


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
        self._weights: Tensor | None = None
        self._sum: Tensor | None = None
        self._growth = 1.0
        self._some = torch.zeros(0, dtype=torch.int64)
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
        total, direction = self._total(row, method)
        return sum_statistics(total, self.summary, row, method, direction)

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
        total, direction = self._total(row, method)
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

    def _total(self, weights: Tensor, method: Method) -> tuple[Tensor, Direction]:
        """sum c z, (C, P), and its direction, with all in the summary that the method asks for."""
        if self._whole_summary is not None and not self.summary.serves(method):
            self.summary = self._whole_summary()
        direction = direct(method, self.summary, weights[None], self._streamed())
        if direction.residual is not None:
            held = direction.coefficients[0].nonzero()[:, 0]
            return self._sum_of(held.tolist(), direction.coefficients[0, held]), direction
        self._sum = self._moved_sum(weights)
        self._weights = weights
        return self._sum, direction

    def _streamed(self) -> StreamedProducts:
        return StreamedProducts(lambda: self._read(range(self.summary.count)), self.summary)

    def _moved_sum(self, weights: Tensor) -> Tensor:
        """sum w z, (C, P), from the last one where few weights moved by themselves."""
        if self._weights is None or self._sum is None:
            return self._whole_sum(weights)
        some = self._some[self._weights[self._some] > 0]
        if not len(some):
            return self._whole_sum(weights)
        # Where most of all moved by themselves, this is wrong, and all are summed again.
        scale = (weights[some] / self._weights[some]).median()
        change = torch.sub(weights, self._weights, alpha=float(scale))
        moved = np.flatnonzero(np.abs(change.numpy()) > 1e-12)
        self._growth *= max(1.0, float(scale))
        if len(moved) > FEW or self._growth > WORN:
            return self._whole_sum(weights)
        total = scale * self._sum
        if len(moved):
            total = total + self._sum_of(moved.tolist(), change[moved])
        return total

    def _whole_sum(self, weights: Tensor) -> Tensor:
        self._growth = 1.0
        held = weights.nonzero()[:, 0]
        self._some = held[:: len(held) // SAMPLE + 1]
        return self._sum_of(held.tolist(), weights[held])

    def _sum_of(self, indices: list[int], weights: Tensor) -> Tensor:
        return weighted_sums(self._read(indices), self.summary, weights[None])[0]
