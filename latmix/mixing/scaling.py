"""The one place that says how the scaled part of a mixture is scaled: z' = d' + gain * sum c e.

Sums, statistics and what each input is to a mixture all ask here. By bands (`splits`): what the
split takes off has gain 1, the rest one gain, or one for each channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from latmix.mixing.norms import Norm, Sizes


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
        """
        found = torch.as_tensor(norm.target(sizes), dtype=size.dtype, device=size.device)
        residual = torch.linalg.vector_norm(sizes.residual, dim=1)
        return cls(size, found.expand_as(size), residual)

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

    def replace(self, rows: Tensor, others: Scaling) -> None:
        """Put others in the place of some mixtures."""
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
