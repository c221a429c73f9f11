"""Norm targets: the length that the scaled part of a mixture gets. Needs no torch to be imported.

A new one is a class here and its place in `NORMS`; one of a researcher's own is a subclass of
`Norm` anywhere, handed over as `latmix.Method(MyNorm(), "chm")`.

Symbols: m = sum w e is the weighted mean of what the mean split leaves of the latents, r = |e|, L
the elements of a latent. Source: Landolsi & Kahl, arXiv 2505.07481 ("L&K"), and as each says.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latmix.mixing.half import Half

if TYPE_CHECKING:
    from torch import Tensor

    from latmix.mixing.sphere import Array, Product


@dataclass(frozen=True)
class Sizes:
    """What a norm target is computed from, for B mixtures; S is 1, or C where each channel is
    scaled by itself and these are the channel's.

    Attributes:
        residual: |m|, (B, S).
        mean_norm: sum w r, (B, S).
        beta: sum w^2, (B, 1).
        radius: R = sqrt(L), the norm of a typical noise sample; of a channel, sqrt(L / C).
        correlation: w' C w with C_ij = <e_i, e_j>/(r_i r_j), (B, 1); None for a norm that does not
            ask for it.
    """

    residual: Tensor
    mean_norm: Tensor
    beta: Tensor
    radius: float
    correlation: Tensor | None = None


class Norm(Half, ABC):
    """A norm target.

    Attributes:
        is_plain: it leaves the weighted mean as long as it is.
        per_channel: each channel is scaled by itself; with a split of means alone only.
        needs_correlation: it asks for `Sizes.correlation`, and so for inner products of latents.
        turns: its direction is not that of the weighted mean; `centre` finds it from inner products
            of latents.
    """

    is_plain: bool = False
    per_channel: bool = False
    needs_correlation: bool = False
    turns: bool = False

    @abstractmethod
    def target(self, sizes: Sizes) -> Tensor | float:
        """rho, the norm of the scaled part; anything that broadcasts with `sizes.residual`."""

    def centre(self, product: Product, weights: Array, start: Array) -> Array:
        """Where a norm turns: coefficients a, (B, N), of the unit direction sum a u, u = e/r.

        Args:
            product: from coefficients (B, N) to the inner products <u_n, sum a u>, (B, N).
            weights: (B, N), 0 for a latent without direction.
            start: coefficients of sum w u, scaled to 1.
        """
        return start

    @property
    def needs_products(self) -> bool:
        """Whether it asks for inner products of latents."""
        return self.needs_correlation or self.turns


class Lin(Norm):
    """Source: L&K eq. 1."""

    formula = "rho = |m|"
    sentence = "The plain weighted mean: too small a norm."
    is_plain = True

    def target(self, sizes: Sizes) -> Tensor:
        return sizes.residual


class Fix(Norm):
    """Source: L&K eq. 2."""

    formula = "rho = sqrt(L)"
    sentence = "Scaled to the norm of a typical noise sample."

    def target(self, sizes: Sizes) -> float:
        return sizes.radius


class Nin(Norm):
    """Source: L&K eq. 4."""

    formula = "rho = sum w r"
    sentence = "Scaled to the interpolated norm of the inputs."

    def target(self, sizes: Sizes) -> Tensor:
        return sizes.mean_norm


class Coh(Norm):
    """Of latmix's own."""

    formula = "rho = k^2 sum w r + (1 - k^2) sqrt(L)"
    sentence = "Between nin (coherent inputs) and fix (incoherent ones), by the coherence k."

    def target(self, sizes: Sizes) -> Tensor:
        share = coherence(sizes.residual, sizes.mean_norm).square()
        return share * sizes.mean_norm + (1 - share) * sizes.radius


class Lol(Norm):
    """Source: Bodin et al. 2408.08558."""

    formula = "rho = |m| / sqrt(sum w^2)"
    sentence = "Linear combination of independent latents, back to their distribution."

    def target(self, sizes: Sizes) -> Tensor:
        return sizes.residual / sizes.beta.sqrt()


class Clol(Norm):
    """Of latmix's own."""

    formula = "rho = |m| / sqrt(w' C w), C_ij = <e_i, e_j> / (r_i r_j)"
    sentence = "lol, corrected for latents that are alike: a picture listed twice changes nothing."
    needs_correlation = True

    def target(self, sizes: Sizes) -> Tensor:
        if sizes.correlation is None:
            raise ValueError("sizes: clol needs the correlation of the inputs.")
        root = sizes.correlation.sqrt()
        return (sizes.residual / root.clamp_min(1e-30)).where(root > 0, 1.0)


class Adain(Nin):
    """nin of each channel by itself.

    Source: Zhang et al. 2312.07409 (DiffMorpher), for N inputs.
    """

    formula = "each channel: rho_c = sum w r_c"
    sentence = "Each channel scaled by itself to the interpolated standard deviation of the inputs."
    per_channel = True


class Slerp(Nin):
    """Source: Buss & Fillmore 2001, algorithm A1; L&K eq. 3."""

    formula = "u = spherical mean of e/r, rho = sum w r"
    sentence = "The weighted mean on the sphere: SLERP for two, any order for more."
    turns = True

    def centre(self, product: Product, weights: Array, start: Array) -> Array:
        from latmix.mixing.sphere import spherical_mean

        return spherical_mean(product, weights, start)


class Nao(Norm):
    """Source: Samuel et al. 2023 (L&K ref. 24)."""

    formula = "u = spherical median of e/r, rho = the likeliest norm"
    sentence = "Shortest likely paths to the inputs: a median, which half the weight pulls to one."
    turns = True

    def target(self, sizes: Sizes) -> float:
        return likeliest_norm(sizes.radius)

    def centre(self, product: Product, weights: Array, start: Array) -> Array:
        from latmix.mixing.sphere import spherical_median

        return spherical_median(product, weights, start)


def coherence(residual: Tensor, mean_norm: Tensor) -> Tensor:
    """kappa = |m| / sum w r: 1 where all latents point one way, about 1/sqrt(N) for noise."""
    import torch

    return (residual / mean_norm.clamp_min(torch.finfo(mean_norm.dtype).tiny)).clamp(0.0, 1.0)


def likeliest_norm(radius: float) -> float:
    """sqrt(L-1), the mode of chi, for R = sqrt(L)."""
    return math.sqrt(max(radius**2 - 1, 1.0))


NORMS: tuple[Norm, ...] = (Lin(), Fix(), Nin(), Coh(), Lol(), Clol(), Adain(), Slerp(), Nao())
"""The rows of the grid, in the order they are shown."""
