"""What the statistics of a mixture need of its latents: sufficient statistics.

Everything here is float64, so that what a mixture's norm loses by cancellation is not lost again
by rounding (an MPS device has no float64: there it is float32).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from latmix.mixing.blocks import CACHED_ELEMENTS, ROUNDING, Blocks, blocks, channel_size, precise
from latmix.mixing.grid import Method
from latmix.mixing.low_pass import Spectrum
from latmix.mixing.norms import Norm
from latmix.mixing.splits import LARGEST_CUTOFF, Split


@dataclass(frozen=True)
class Cut:
    """What a mean split takes off B mixtures' latents.

    Attributes:
        cutoffs: cycles per width up to which all is taken off, (B,), or (1,) where that is the
            same of every mixture; None for a split of means.
    """

    split: Split
    cutoffs: Tensor | None

    @property
    def single(self) -> tuple[bool, bool, float | None]:
        """What it takes off, the same of every mixture, as a key."""
        cutoff = None if self.cutoffs is None else float(self.cutoffs[0])
        return self.split.takes_overall, self.split.takes_channels, cutoff

    @property
    def differs(self) -> bool:
        """Whether it may take another part off each mixture."""
        return self.cutoffs is not None and len(self.cutoffs) > 1

    def rows(self, which: slice | Tensor) -> Cut:
        """The same for some mixtures."""
        if self.cutoffs is None or len(self.cutoffs) == 1:
            return self
        return Cut(self.split, self.cutoffs[which])


class Averages(NamedTuple):
    """Weighted means over the inputs of B mixtures.

    Attributes:
        channel_mean: of the channels' means, (B, C).
        norm: sum w |z|, (B, 1).
        residual: sum w r, (B, 1), with r the norm of a latent without what the split takes off.
        channel_norm: sum w r_c, (B, C), with r_c the norm of a channel without its mean; (B, 0)
            where no norm target asks for it.
    """

    channel_mean: Tensor
    norm: Tensor
    residual: Tensor
    channel_norm: Tensor


@dataclass(frozen=True)
class Summary:
    """Sufficient statistics of N latents: all a norm target or a mean split asks of the inputs.

    Attributes:
        squared_norm: |z_n|^2, (N,).
        channel_mean: mean of each channel of z_n, (N, C).
        size: of a channel, such as (H, W).
        spectrum: the slow part of the latents; None where no split asks for it.
        channel_norm: norm of each channel of z_n without its mean, (N, C); None where no norm
            target asks for it.
        kept: `columns` of single mixtures, and bands: live statistics ask for them again.
    """

    squared_norm: Tensor
    channel_mean: Tensor
    size: tuple[int, ...]
    spectrum: Spectrum | None = None
    channel_norm: Tensor | None = None
    kept: dict[tuple[object, bool], Tensor] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, latents: Tensor, cutoff: float | None = None) -> Summary:
        """The summary of latents (N, C, ...).

        Args:
            cutoff: up to which their spectrum is kept, `Split.reach`; None keeps none.

        Raises:
            ValueError: a cut-off, and the latents are not (N, C, H, W).
        """
        squares, means = [], []
        spectrum, like = None, latents.new_empty(0, dtype=precise(latents.device))
        if cutoff is not None:
            spectrum = Spectrum.empty(len(latents), latents.shape[1:], cutoff, like)
        for part, block in blocks(latents, elements=CACHED_ELEMENTS):
            squares.append(block.square().sum(dim=2))
            means.append(block.mean(dim=2))
            if spectrum is not None:
                spectrum.take(part, block)
        square, channel_mean = torch.cat(squares), torch.cat(means)
        summary = cls(square.sum(dim=1), channel_mean, channel_size(latents), spectrum)
        return replace(summary, channel_norm=summary._spread(square))

    def serving(self, method: Method, read: Callable[[], Blocks]) -> Summary:
        """With what a method needs; the latents are read where that is not known yet.

        Raises:
            ValueError: the latents have no height and width, and the split asks for them.
        """
        spectrum, channel_norm = self.spectrum, self.channel_norm
        if method.split.reach is not None and spectrum is None:
            like, shape = self.channel_mean, (self.shape[0], *self.size)
            spectrum = Spectrum.empty(self.count, shape, LARGEST_CUTOFF, like)
            for part, block in read():
                spectrum.take(part, block)
        if method.norm.per_channel and channel_norm is None:
            rows = (block.to(self.channel_mean).flatten(2) for _, block in read())
            channel_norm = self._spread(torch.cat([row.square().sum(dim=2) for row in rows]))
        if spectrum is self.spectrum and channel_norm is self.channel_norm:
            return self
        return replace(self, spectrum=spectrum, channel_norm=channel_norm)

    def _spread(self, square: Tensor) -> Tensor:
        """Norms without the mean, (N, C), from sums of squares; what rounding leaves is nothing."""
        return positive_root(square - self.channel_mean.square() * self.places, square)

    @property
    def count(self) -> int:
        """N."""
        return self.channel_mean.shape[0]

    @cached_property
    def places(self) -> int:
        """P, elements of a channel."""
        return math.prod(self.size)

    @property
    def shape(self) -> tuple[int, int]:
        """(C, P)."""
        return self.channel_mean.shape[1], self.places

    @property
    def length(self) -> int:
        """L = C*P, elements of a latent."""
        return math.prod(self.shape)

    @property
    def radius(self) -> float:
        """R = sqrt(L), the norm of a typical N(0, I) sample (L&K section 3)."""
        return math.sqrt(self.length)

    def radius_of(self, norm: Norm) -> float:
        """R of what a norm target scales: of all channels, or of each by itself."""
        return math.sqrt(self.places) if norm.per_channel else self.radius

    @cached_property
    def norms(self) -> Tensor:
        """|z_n|, (N,)."""
        return self.squared_norm.sqrt()

    @property
    def slow(self) -> Spectrum:
        """The spectrum.

        Raises:
            ValueError: it is not kept.
        """
        if self.spectrum is None:
            raise ValueError("summary: a low-pass split needs the latents' spectrum.")
        return self.spectrum

    def cut(self, split: Split, weights: Tensor) -> Cut:
        """What a mean split takes off with B weightings (B, N)."""
        slow = None if split.reach is None else self.slow.cutoffs(split, weights)
        return Cut(split, slow)

    def averages(self, cut: Cut, weights: Tensor, per_channel: bool) -> Averages:
        """Of mixtures with weights (B, N); with the norms of channels, or without.

        Raises:
            ValueError: norms of channels are not known.
        """
        linear = weights @ self.columns(cut, per_channel).to(weights)
        if cut.differs:
            residual = (weights * self.residual_norms(cut).to(weights)).sum(dim=1)
            linear[:, self.shape[0] + 1] = residual
        return self.parted(linear)

    def parted(self, linear: Tensor) -> Averages:
        """The averages of `columns`, (B, K), one by one."""
        channels = self.shape[0]
        widths = [channels, 1, 1, linear.shape[1] - channels - 2]
        return Averages(*torch.split(linear, widths, dim=1))

    def columns(self, cut: Cut, per_channel: bool = False) -> Tensor:
        """What is averaged of the inputs, (N, C + 2), or (N, 2 C + 2) with the norms of channels:
        channel means, |z|, r for the first mixture, and those.

        Raises:
            ValueError: norms of channels are not known.
        """
        key = cut.single, per_channel
        if key not in self.kept:
            norms = [self.norms[:, None], self._residual_norms(cut.rows(slice(1))).T]
            if per_channel:
                if self.channel_norm is None:
                    raise ValueError("summary: the norms of the latents' channels are needed.")
                norms.append(self.channel_norm)
            self.kept[key] = torch.cat([self.channel_mean, *norms], dim=1)
        return self.kept[key]

    def residual_norms(self, cut: Cut) -> Tensor:
        """r_n = |e_n|, the norm of a latent without what the split takes off, (B, N) or (1, N)."""
        if cut.differs:
            return self._residual_norms(cut)
        return self.columns(cut)[None, :, self.shape[0] + 1]

    def _residual_norms(self, cut: Cut) -> Tensor:
        common = cut.split.constant(self.channel_mean).square().sum(dim=1) * self.places
        squares = (self.squared_norm - common)[None]
        if cut.cutoffs is not None:
            squares = squares - self.slow.energy(cut.cutoffs)
        return positive_root(squares, self.squared_norm)

    def add_common(self, total: Tensor, cut: Cut, weights: Tensor, sign: float = 1.0) -> None:
        """Add sign * sum w d to total (B, C, P), in place, for weights (B, N)."""
        split = cut.split
        if cut.cutoffs is None and not (split.takes_overall or split.takes_channels):
            return
        common = split.constant(weights @ self.channel_mean.to(weights))[..., None].to(total)
        if cut.cutoffs is None:
            total.add_(common, alpha=sign)
            return
        amplitudes, waves = self.slow.waves(weights, cut.cutoffs)
        factors = torch.cat([common, amplitudes.to(total)], dim=2).flatten(0, 1)
        fields = torch.cat([torch.ones(1, self.places).to(waves), waves])
        total.view(-1, self.places).addmm_(factors, fields.to(total), alpha=sign)


def positive_root(squares: Tensor, whole: Tensor) -> Tensor:
    """Roots of squares that are what is left of `whole`; what rounding leaves of it is nothing."""
    floor = ROUNDING * torch.finfo(squares.dtype).eps * whole
    return torch.where(squares > floor, squares, 0.0).sqrt()
