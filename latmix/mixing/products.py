"""Inner products of what a mean split leaves of latents, for norm targets that ask for them.

They come from a `Gram` or, where N is too large for one, from passes over the latents.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from latmix.mixing.blocks import Blocks, weighted_sums
from latmix.mixing.sphere import Array, Product
from latmix.mixing.summary import Cut, Summary


class Products(ABC):
    """Inner products of the residuals e_n of N latents."""

    @abstractmethod
    def times(self, coefficients: Tensor, cut: Cut) -> Tensor:
        """<e_n, sum c e>, (B, N), for coefficients c (B, N)."""

    def cosines(self, cut: Cut, inverse: Tensor) -> Product:
        """<u_n, sum a u>, (B, N), for coefficients a (B, N), of the directions u = e/r.

        Args:
            inverse: 1/r_n, (B, N) or (1, N).
        """

        def product(coefficients: Array) -> Array:
            scaled = torch.from_numpy(coefficients).to(inverse) * inverse
            found: Array = (self.times(scaled, cut) * inverse).numpy(force=True)
            return found

        return product


@dataclass(frozen=True)
class StreamedProducts(Products):
    """Inner products from two passes over the latents, in memory that does not grow with N."""

    read: Callable[[], Blocks]
    summary: Summary

    def times(self, coefficients: Tensor, cut: Cut) -> Tensor:
        total = weighted_sums(self.read(), self.summary.shape, coefficients)
        self.summary.add_common(total, cut, coefficients, -1.0)
        rest = total.flatten(1)
        result = torch.zeros_like(coefficients)
        for part, block in self.read():
            result[:, part] = rest @ block.to(rest).flatten(1).T
        return result
