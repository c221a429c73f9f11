"""Inner products of what a mean split leaves of latents, for norm targets that ask for them.

They come from Gram matrices or, where N is too large for those, from passes over the latents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from latmix.mixing.blocks import Blocks, weighted_sums
from latmix.mixing.gram import Gram
from latmix.mixing.sphere import Array, Product
from latmix.mixing.summary import Cut, Summary


class Products(Protocol):
    """Inner products of the residuals e_n of N latents."""

    def times(self, coefficients: Tensor, cut: Cut) -> Tensor:
        """<e_n, sum c e>, (B, N), for coefficients c (B, N)."""
        ...

    def cosines(self, cut: Cut, inverse: Tensor) -> Product:
        """<u_n, sum a u>, (B, N), for coefficients a (B, N), of the directions u = e/r.

        Args:
            inverse: 1/r_n, (B, N) or (1, N).
        """
        ...


class GramProducts:
    """Inner products from the Gram matrices."""

    def __init__(self, gram: Gram) -> None:
        self._gram = gram

    def times(self, coefficients: Tensor, cut: Cut) -> Tensor:
        alike = _alike(cut)
        if len(alike) == 1:
            return coefficients @ self._gram.residual(cut)
        result = torch.zeros_like(coefficients)
        for rows in alike:
            result[rows] = coefficients[rows] @ self._gram.residual(cut.rows(rows))
        return result

    def cosines(self, cut: Cut, inverse: Tensor) -> Product:
        if len(_alike(cut)) > 1:
            return _scaled(self, cut, inverse)
        inner = self._gram.residual(cut)
        matrix = (inner * inverse[0] * inverse[0, :, None]).numpy(force=True)
        return lambda coefficients: coefficients @ matrix


class StreamedProducts:
    """Inner products from two passes over the latents, in memory that does not grow with N."""

    def __init__(self, read: Callable[[], Blocks], summary: Summary) -> None:
        self._read = read
        self._summary = summary

    def times(self, coefficients: Tensor, cut: Cut) -> Tensor:
        total = weighted_sums(self._read(), self._summary.shape, coefficients)
        self._summary.add_common(total, cut, coefficients, -1.0)
        rest = total.flatten(1)
        result = torch.zeros_like(coefficients)
        for part, block in self._read():
            result[:, part] = rest @ block.to(rest).flatten(1).T
        return result

    def cosines(self, cut: Cut, inverse: Tensor) -> Product:
        return _scaled(self, cut, inverse)


def _alike(cut: Cut) -> list[Tensor | slice]:
    """The mixtures of which the same is taken off, group by group."""
    if cut.cutoffs is None or len(cut.cutoffs) == 1:
        return [slice(None)]
    return [cut.cutoffs == cutoff for cutoff in torch.unique(cut.cutoffs)]


def _scaled(products: Products, cut: Cut, inverse: Tensor) -> Product:
    def product(coefficients: Array) -> Array:
        scaled = torch.from_numpy(coefficients).to(inverse) * inverse
        found: Array = (products.times(scaled, cut) * inverse).numpy(force=True)
        return found

    return product
