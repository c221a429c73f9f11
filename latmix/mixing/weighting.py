"""What B weightings of N latents are under a method, and the one place that says how they scale.

The scaled part of a mixture is sum c_n e_n, and the mixture z' = d' + gain * sum c e. For most norm
targets c is the weights; one that turns finds c on the sphere. Sums, statistics and what each input
is to a mixture all ask here. By bands (`splits`): what the split takes off has gain 1, the rest one
gain, or one for each channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from latmix.mixing.blocks import ROUNDING
from latmix.mixing.gram import Products
from latmix.mixing.grid import Method
from latmix.mixing.norms import Norm, Sizes
from latmix.mixing.summary import Averages, Cut, Summary


@dataclass(frozen=True)
class Scaling:
    """Of B mixtures; S is 1, or C where each channel is scaled by itself.

    Attributes:
        size: |sum c e|, (B, S), before it is scaled.
        target: rho, (B, S), after.
        residual: |m|, (B,), which is the size but where the direction turned.
    """

    size: Tensor
    target: Tensor
    residual: Tensor

    @classmethod
    def of(cls, norm: Norm, size: Tensor, sizes: Sizes) -> Scaling:
        """Under a norm target.

        Args:
            size: |sum c e|, (B, S).

        Raises:
            ValueError: the norm target gives no numbers, or not of this shape.
        """
        given = norm.target(sizes)
        try:
            found = torch.as_tensor(given, dtype=size.dtype, device=size.device).expand_as(size)
        except (RuntimeError, TypeError, ValueError):
            gave = f"the shape {(*given.shape,)}" if isinstance(given, Tensor) else repr(given)
            raise ValueError(
                f"norm {norm.name!r}: target must give what broadcasts with the shape "
                f"{(*size.shape,)}, not {gave}."
            ) from None
        return cls(size, found, torch.linalg.vector_norm(sizes.residual, dim=1))

    @property
    def gain(self) -> Tensor:
        """What the scaled part is multiplied by, (B, S)."""
        return ratio(self.target, self.size)

    @property
    def amplification(self) -> Tensor:
        """alpha = rho / |m|, (B,)."""
        return ratio(torch.linalg.vector_norm(self.target, dim=1), self.residual)

    def rows(self, which: slice) -> Scaling:
        """Some of them."""
        return Scaling(*(values[which] for values in vars(self).values()))

    def put(self, rows: Tensor, others: Scaling) -> None:
        """Write others over some mixtures, in these tensors."""
        for name, values in vars(others).items():
            getattr(self, name)[rows] = values

    @staticmethod
    def joined(parts: Sequence[Scaling]) -> Scaling:
        """The mixtures of all parts, one after the other."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return Scaling(*map(torch.cat, columns))


def ratio(target: Tensor, size: Tensor) -> Tensor:
    """target / size, and 1 where there is nothing to scale."""
    return torch.where(size > 0, target / size.clamp_min(torch.finfo(size.dtype).tiny), 1.0)


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

        Raises:
            ValueError: the norm target gives something else than finite numbers, one a size.
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
        scaling = Scaling.of(norm, size, sizes)
        bad = (size > 0) & ~scaling.target.isfinite()  # what there is nothing to scale of is left
        if bool(bad.any()):
            value = float(scaling.target[bad][0])
            raise ValueError(f"norm {norm.name!r}: target must give finite numbers, not {value}.")
        return scaling


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
