"""What B weightings of N latents are under a method, before the latents themselves are summed.

The scaled part of a mixture is sum c_n e_n. For most norm targets c is the weights; one that turns
finds c on the sphere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
        averages: of the inputs.
        coefficients: c, (B, N).
        lost: whether the latents cancel, so that no direction is left, (B,).
        residual: |m|, (B,), where c is not the weights; else None, and it is the scaled part's own.
        correlation: w' C w with C_ij = <e_i, e_j>/(r_i r_j), (B,), for a norm that asks for it.
    """

    method: Method
    summary: Summary
    weights: Tensor
    averages: Averages
    coefficients: Tensor
    lost: Tensor
    residual: Tensor | None = None
    correlation: Tensor | None = None

    @property
    def cut(self) -> Cut:
        """What the mean split takes off each."""
        return self.averages.cut

    def rows(self, which: slice | Tensor) -> Weighting:
        """Some of them."""
        return replace(
            self,
            weights=self.weights[which],
            averages=self.averages.rows(which),
            coefficients=self.coefficients[which],
            lost=self.lost[which],
            residual=None if self.residual is None else self.residual[which],
            correlation=None if self.correlation is None else self.correlation[which],
        )

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
        averages, norm, size = self.averages, self.method.norm, channels
        if not norm.per_channel:
            size = torch.linalg.vector_norm(channels, dim=1, keepdim=True)
        sizes = Sizes(
            residual=size if self.residual is None else self.residual[:, None],
            mean_norm=averages.channel_norm if norm.per_channel else averages.residual[:, None],
            beta=averages.beta[:, None],
            radius=self.summary.radius_of(norm),
            correlation=None if self.correlation is None else self.correlation[:, None],
        )
        return Scaling.of(norm, size, sizes)


def weigh(
    method: Method,
    summary: Summary,
    weights: Tensor,
    products: Products | None = None,
    averages: Averages | None = None,
) -> Weighting:
    """Weightings (B, N), each row summing to 1, under a method; see `Weighting.checked`.

    Args:
        products: of the same latents; None for a method that needs none.
        averages: of the inputs, where they are known.
    """
    averages = averages or summary.averages(method, weights)
    cut, none = averages.cut, torch.zeros_like(weights[:, 0], dtype=torch.bool)
    plain = Weighting(method, summary, weights, averages, weights, none)
    if not method.norm.needs_products:
        return plain
    if products is None:
        raise ValueError(f"products: {method.name} needs the latents' inner products.")
    norms = summary.residual_norms(cut).to(weights)
    inverse = torch.where(norms > 0, 1 / norms.clamp_min(torch.finfo(norms.dtype).tiny), 0.0)

    pointing = torch.where(norms > 0, weights, 0.0)
    toward = products.times(pointing * inverse, cut) * inverse
    square = (pointing * toward).sum(dim=1).clamp_min(0)
    least = ROUNDING * torch.finfo(weights.dtype).eps * pointing.sum(dim=1).square()
    lost = (square <= least) & (least > 0)
    plain = replace(plain, lost=lost, correlation=square)
    if not method.norm.turns:
        return plain
    pointing = torch.where(lost[:, None], 0.0, pointing)
    start = pointing / torch.where(square > 0, square.sqrt(), 1.0)[:, None]
    product = products.cosines(cut, inverse)
    found = method.norm.centre(product, pointing.numpy(force=True), start.numpy(force=True))
    residual = (weights * products.times(weights, cut)).sum(dim=1)
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
