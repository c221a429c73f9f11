"""What a method asks of the latents beside their sufficient statistics: inner products.

The scaled part of a mixture is sum c_n e_n. For most norm targets c is the weights; slerp and nao
find c on the sphere. Inner products come from a Gram matrix or, where N is too large for one, from
passes over the latents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from latmix.mixing.gram import Gram
from latmix.mixing.grid import Method
from latmix.mixing.sphere import Array, Product, spherical_mean, spherical_median
from latmix.mixing.summary import ROUNDING, Blocks, Split, Summary, weighted_sums

TURNED = ("slerp", "nao")
"""Norm targets whose direction is found on the sphere, and is not that of the weighted mean."""

NEEDS_PRODUCTS = ("clol", *TURNED)
"""Norm targets that ask for inner products."""


@dataclass(frozen=True)
class Direction:
    """What the scaled part of B mixtures is made of.

    Attributes:
        coefficients: c, (B, N).
        split: the mean split of each mixture.
        residual: |m|, (B,), where c is not the weights; else None, and it is the scaled part's own.
        correlated: w' C w with C_ij = <e_i, e_j>/(r_i r_j), (B,), for clol.
    """

    coefficients: Tensor
    split: Split
    residual: Tensor | None = None
    correlated: Tensor | None = None

    def rows(self, which: slice | Tensor) -> Direction:
        """Those of some mixtures."""
        return Direction(
            self.coefficients[which],
            self.split.rows(which),
            None if self.residual is None else self.residual[which],
            None if self.correlated is None else self.correlated[which],
        )


class Products(Protocol):
    """Inner products of the residuals e_n of N latents."""

    def times(self, coefficients: Tensor, split: Split) -> Tensor:
        """<e_n, sum c e>, (B, N), for coefficients c (B, N)."""
        ...

    def cosines(self, split: Split, inverse: Tensor) -> Product:
        """<u_n, sum a u>, (B, N), for coefficients a (B, N), of the directions u = e/r.

        Args:
            inverse: 1/r_n, (B, N) or (1, N).
        """
        ...


class GramProducts:
    """Inner products from the Gram matrices."""

    def __init__(self, gram: Gram) -> None:
        self._gram = gram

    def times(self, coefficients: Tensor, split: Split) -> Tensor:
        if split.cutoffs is None:
            return coefficients @ self._gram.residual(split.mean, None)
        cutoffs = set(split.cutoffs.tolist())
        if len(cutoffs) == 1:
            return coefficients @ self._gram.residual(split.mean, cutoffs.pop())
        result = torch.zeros_like(coefficients)
        for cutoff in cutoffs:
            rows = split.cutoffs == cutoff
            result[rows] = coefficients[rows] @ self._gram.residual(split.mean, cutoff)
        return result

    def cosines(self, split: Split, inverse: Tensor) -> Product:
        cutoffs = [None] if split.cutoffs is None else list(set(split.cutoffs.tolist()))
        if len(cutoffs) > 1:
            return _scaled(self, split, inverse)
        inner = self._gram.residual(split.mean, cutoffs[0])
        matrix = (inner * inverse[0] * inverse[0, :, None]).numpy(force=True)
        return lambda coefficients: coefficients @ matrix


class StreamedProducts:
    """Inner products from two passes over the latents, in memory that does not grow with N."""

    def __init__(self, read: Callable[[], Blocks], summary: Summary) -> None:
        self._read = read
        self._summary = summary

    def times(self, coefficients: Tensor, split: Split) -> Tensor:
        total = weighted_sums(self._read(), self._summary, coefficients)
        self._summary.add_common(total, split, coefficients, -1.0)
        rest = total.flatten(1)
        result = torch.zeros_like(coefficients)
        for part, block in self._read():
            result[:, part] = rest @ block.to(rest).flatten(1).T
        return result

    def cosines(self, split: Split, inverse: Tensor) -> Product:
        return _scaled(self, split, inverse)


def _scaled(products: Products, split: Split, inverse: Tensor) -> Product:
    def product(coefficients: Array) -> Array:
        scaled = torch.from_numpy(coefficients).to(inverse) * inverse
        found: Array = (products.times(scaled, split) * inverse).numpy(force=True)
        return found

    return product


def direct(
    method: Method, summary: Summary, weights: Tensor, products: Products | None
) -> Direction:
    """The direction of B mixtures under a method.

    Args:
        weights: (B, N), each row summing to 1.
        products: of the same latents; None for a method that needs none.

    Raises:
        ValueError: the latents cancel, so that no direction is left.
    """
    direction, lost = directions(method, summary, weights, products)
    if bool(lost.any()):
        raise cancelled(method)
    return direction


def directions(
    method: Method, summary: Summary, weights: Tensor, products: Products | None
) -> tuple[Direction, Tensor]:
    """The same, and for each mixture whether its latents cancel, (B,), in place of the error."""
    split = summary.resolve(method.mean, weights)
    none = torch.zeros_like(weights[:, 0], dtype=torch.bool)
    if method.norm not in NEEDS_PRODUCTS:
        return Direction(weights, split), none
    if products is None:
        raise ValueError(f"products: {method.name} needs the latents' inner products.")
    norms = summary.residual_norms(split).to(weights)
    inverse = torch.where(norms > 0, 1 / norms.clamp_min(torch.finfo(norms.dtype).tiny), 0.0)

    pointing = torch.where(norms > 0, weights, 0.0)
    toward = products.times(pointing * inverse, split) * inverse
    square = (pointing * toward).sum(dim=1).clamp_min(0)
    least = ROUNDING * torch.finfo(weights.dtype).eps * pointing.sum(dim=1).square()
    lost = (square <= least) & (least > 0)
    if method.norm == "clol":
        return Direction(weights, split, correlated=square), lost
    pointing = torch.where(lost[:, None], 0.0, pointing)
    start = pointing / torch.where(square > 0, square.sqrt(), 1.0)[:, None]
    product = products.cosines(split, inverse)
    centre = spherical_mean if method.norm == "slerp" else spherical_median
    found = centre(product, pointing.numpy(force=True), start.numpy(force=True))
    coefficients = torch.from_numpy(found.coefficients).to(inverse) * inverse
    residual = (weights * products.times(weights, split)).sum(dim=1)
    return Direction(coefficients, split, residual=residual.clamp_min(0).sqrt()), lost


def cancelled(method: Method) -> ValueError:
    """What to say where the latents leave no direction."""
    return ValueError(
        f"the latents cancel: nothing of their weighted mean is left for {method.name} to "
        "scale; change a weight, or use lin or another mean split."
    )
