"""What B weightings of N latents are under a method, before the latents themselves are summed.

The scaled part of a mixture is sum c_n e_n. For most norm targets c is the weights; one that turns
finds c on the sphere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from latmix.mixing.blocks import ROUNDING
from latmix.mixing.grid import Method
from latmix.mixing.norms import Sizes
from latmix.mixing.products import Products
from latmix.mixing.scaling import Scaling
from latmix.mixing.summary import Averages, Cut, Summary


@dataclass(frozen=True)
class Weighting:
    """B weightings of the latents of a summary.

    Attributes:
        weights: (B, N), each row summing to 1.
        cut: what the mean split takes off each.
        averages: of the inputs.
        beta: sum w^2, (B, 1).
        coefficients: c, (B, N).
        lost: whether the latents cancel, so that no direction is left, (B,).
        residual: |m|, (B, 1), where c is not the weights; else None, and it is that of the scaled
            part.
        correlation: w' C w with C_ij = <e_i, e_j>/(r_i r_j), (B, 1), for a norm that asks for it.
    """

    method: Method
    summary: Summary
    weights: Tensor
    cut: Cut
    averages: Averages
    beta: Tensor
    coefficients: Tensor
    lost: Tensor
    residual: Tensor | None = None
    correlation: Tensor | None = None

    def rows(self, which: slice | Tensor) -> Weighting:
        """Some of them."""
        values = vars(self).items()
        some: dict[str, Any] = {
            name: value[which] for name, value in values if isinstance(value, Tensor)
        }
        averages = Averages(*(values[which] for values in self.averages))
        return replace(self, cut=self.cut.rows(which), averages=averages, **some)

    def checked(self) -> Weighting:
        """The same.

        Raises:
            ValueError: the latents of one of them cancel.
        """
        if self.method.norm.needs_products and bool(self.lost.any()):
            raise cancelled(self.method)
        return self

    def scaling(self, channels: Tensor) -> Scaling:
        """How the mixtures are scaled.

        Args:
            channels: norm of each channel of sum c e, (B, C).
        """
        norm, size = self.method.norm, channels
        if not norm.per_channel:
            size = torch.linalg.vector_norm(channels, dim=1, keepdim=True)
        sizes = Sizes(
            residual=size if self.residual is None else self.residual,
            mean_norm=self.averages.channel_norm if norm.per_channel else self.averages.residual,
            beta=self.beta,
            radius=self.summary.radius_of(norm),
            correlation=self.correlation,
        )
        return Scaling.of(norm, size, sizes)


def weigh(
    method: Method,
    summary: Summary,
    weights: Tensor,
    products: Products | None = None,
    known: tuple[Cut, Averages] | None = None,
) -> Weighting:
    """Weightings (B, N), each row summing to 1, under a method; see `Weighting.checked`.

    Args:
        products: of the same latents; None for a method that needs none.
        known: what the split takes off, and averages of the inputs, where that is known.
    """
    cut, averages = known or (summary.cut(method.split, weights), None)
    averages = averages or summary.averages(cut, weights, method.norm.per_channel)
    beta = weights.square().sum(dim=1, keepdim=True)
    none = torch.zeros_like(beta[:, 0], dtype=torch.bool)
    plain = Weighting(method, summary, weights, cut, averages, beta, weights, none)
    if not method.norm.needs_products:
        return plain
    if products is None:
        raise ValueError(f"products: {method.name} needs the latents' inner products.")
    norms = summary.residual_norms(cut).to(weights)
    inverse = torch.where(norms > 0, 1 / norms.clamp_min(torch.finfo(norms.dtype).tiny), 0.0)

    pointing = torch.where(norms > 0, weights, 0.0)
    toward = products.times(pointing * inverse, cut) * inverse
    square = (pointing * toward).sum(dim=1, keepdim=True).clamp_min(0)
    least = ROUNDING * torch.finfo(weights.dtype).eps * pointing.sum(dim=1, keepdim=True).square()
    lost = (square <= least) & (least > 0)
    plain = replace(plain, lost=lost[:, 0], correlation=square)
    if not method.norm.turns:
        return plain
    pointing = torch.where(lost, 0.0, pointing)
    start = pointing / torch.where(square > 0, square.sqrt(), 1.0)
    product = products.cosines(cut, inverse)
    found = method.norm.centre(product, pointing.numpy(force=True), start.numpy(force=True))
    residual = (weights * products.times(weights, cut)).sum(dim=1, keepdim=True)
    return replace(
        plain,
        coefficients=torch.from_numpy(found).to(inverse) * inverse,
        residual=residual.clamp_min(0).sqrt(),
    )


def cancelled(method: Method) -> ValueError:
    """What to say where the latents leave no direction."""
    return ValueError(
        f"the latents cancel: nothing of their weighted mean is left for {method.name} to "
        "scale; change a weight, or use lin or another mean split."
    )
