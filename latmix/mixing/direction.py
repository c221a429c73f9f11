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

from latmix.mixing.grid import Method
from latmix.mixing.low_pass import low_pass
from latmix.mixing.sphere import spherical_mean, spherical_median
from latmix.mixing.summary import ROUNDING, Blocks, Gram, Summary, split, weighted_sums

NEEDS_PRODUCTS = ("clol", "slerp", "nao")
"""Norm targets that ask for inner products."""


@dataclass(frozen=True)
class Direction:
    """What the scaled part of B mixtures is made of.

    Attributes:
        coefficients: c, (B, N).
        residual: |m|, (B,), where c is not the weights; else None, and it is the scaled part's own.
        correlated: w' C w with C_ij = <e_i, e_j>/(r_i r_j), (B,), for clol.
    """

    coefficients: Tensor
    residual: Tensor | None = None
    correlated: Tensor | None = None

    def rows(self, which: slice | Tensor) -> Direction:
        """Those of some mixtures."""
        return Direction(
            self.coefficients[which],
            None if self.residual is None else self.residual[which],
            None if self.correlated is None else self.correlated[which],
        )


class Products(Protocol):
    """Inner products of the residuals e_n of N latents."""

    def times(self, coefficients: Tensor, mean: str, weights: Tensor) -> Tensor:
        """<e_n, sum c e>, (B, N), for c (B, N); weights (B, N) choose the cut-off of "lp:auto"."""
        ...


class GramProducts:
    """Inner products from the Gram matrices."""

    def __init__(self, gram: Gram) -> None:
        self._gram = gram

    def times(self, coefficients: Tensor, mean: str, weights: Tensor) -> Tensor:
        cutoffs = self._gram.summary.cutoffs(mean, weights)
        if cutoffs is None:
            return coefficients @ self._gram.residual(mean, None)
        result = torch.zeros_like(coefficients)
        for cutoff in set(cutoffs.tolist()):
            rows = cutoffs == cutoff
            result[rows] = coefficients[rows] @ self._gram.residual(mean, cutoff)
        return result


class StreamedProducts:
    """Inner products from two passes over the latents, in memory that does not grow with N."""

    def __init__(self, read: Callable[[], Blocks], summary: Summary) -> None:
        self._read = read
        self._summary = summary

    def times(self, coefficients: Tensor, mean: str, weights: Tensor) -> Tensor:
        total = weighted_sums(self._read(), self._summary, coefficients)
        rest = residual_sums(total, self._summary, coefficients, weights, mean).flatten(1)
        result = torch.zeros_like(coefficients)
        for part, block in self._read():
            result[:, part] = rest @ block.to(rest).flatten(1).T
        return result


def residual_sums(
    total: Tensor, summary: Summary, coefficients: Tensor, weights: Tensor, mean: str
) -> Tensor:
    """sum c_n e_n from sum c_n z_n, both (B, C, P); changes `total`."""
    common = split(coefficients @ summary.channel_mean.to(weights), mean)
    total -= common[..., None].to(total)
    cutoffs = summary.cutoffs(mean, weights)
    if cutoffs is not None and summary.spectrum is not None:
        fields = total.reshape(*total.shape[:2], *summary.spectrum.shape)
        total -= low_pass(fields, cutoffs.to(total)).flatten(2)
    return total


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
    if method.norm not in NEEDS_PRODUCTS:
        return Direction(weights)
    if products is None:
        raise ValueError(f"products: {method.name} needs the latents' inner products.")
    norms = summary.residual_norms(method.mean, weights)
    inverse = torch.where(norms > 0, 1 / norms.clamp_min(torch.finfo(norms.dtype).tiny), 0.0)

    def cosines(coefficients: Tensor) -> Tensor:
        return products.times(coefficients * inverse, method.mean, weights) * inverse

    pointing = torch.where(norms > 0, weights, 0.0)
    toward = cosines(pointing)
    square = (pointing * toward).sum(dim=1).clamp_min(0)
    if method.norm == "clol":
        return Direction(weights, correlated=square)
    least = ROUNDING * torch.finfo(weights.dtype).eps * pointing.sum(dim=1).square()
    if bool(((square <= least) & (least > 0)).any()):
        raise cancelled(method)
    start = pointing / torch.where(square > 0, square.sqrt(), 1.0)[:, None]
    centre = spherical_mean if method.norm == "slerp" else spherical_median
    coefficients = centre(cosines, pointing, start).coefficients * inverse
    residual = (weights * products.times(weights, method.mean, weights)).sum(dim=1)
    return Direction(coefficients, residual=residual.clamp_min(0).sqrt())


def cancelled(method: Method) -> ValueError:
    """What to say where the latents leave no direction."""
    return ValueError(
        f"the latents cancel: nothing of their weighted mean is left for {method.name} to "
        "scale; change a weight, or use lin or another mean split."
    )
