"""What the statistics of a mixture need of its latents: sufficient statistics.

Latents are (N, C, ...): N pictures, C channels, P = H*W places a channel, L = C*P elements.
Everything here is float64, so that what a mixture's norm loses by cancellation is not lost again
by rounding (an MPS device has no float64: there it is float32).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from latmix.mixing.grid import LARGEST_CUTOFF, Method, parse_cutoff
from latmix.mixing.low_pass import CACHED_ELEMENTS, Spectrum

BLOCK_ELEMENTS = 1 << 22
"""Elements converted at a time (32 MB in float64): bounds memory, whatever N is."""

ROUNDING = 64.0
"""Units of the last place within which a sum of many terms is taken for zero."""

Blocks = Iterable[tuple[slice, Tensor]]
"""Rows of latents in order, with their places: what `blocks` and a store's space yield."""


def precise(device: torch.device) -> torch.dtype:
    """The widest float type of a device."""
    return torch.float32 if device.type == "mps" else torch.float64


def blocks(
    latents: Tensor, kind: torch.dtype | None = None, elements: int = BLOCK_ELEMENTS
) -> Iterator[tuple[slice, Tensor]]:
    """Rows of latents (N, ...) as (k, C, P), a few at a time, as `kind` or the widest float."""
    count, channels = latents.shape[0], latents.shape[1] if latents.ndim > 2 else 1
    kind = kind or precise(latents.device)
    for part in parts(count, latents[0].numel(), elements):
        yield part, latents[part].to(kind).reshape(-1, channels, places(latents))


def parts(count: int, length: int, elements: int) -> Iterator[slice]:
    """Slices of `count` rows of `length` elements, each of a bounded number of elements."""
    rows = max(1, elements // max(1, length))
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


def weighted_sums(
    rows: Blocks, summary: Summary, weights: Tensor, kind: torch.dtype | None = None
) -> Tensor:
    """sum_n w_n z_n of latents that come in blocks, so that memory does not grow with N.

    Args:
        rows: blocks (k, C, ...) in order, with their places among the N.
        summary: of all N latents.
        weights: (B, N); the products are added up in their type.
        kind: in which a block's product is formed; None is the weights' type.

    Returns:
        (B, C, P) of the weights' type.
    """
    channels = summary.channel_mean.shape[1]
    shape = (weights.shape[0], channels * summary.places)
    total = torch.zeros(shape, dtype=weights.dtype, device=weights.device)
    factors = weights.to(kind or weights.dtype)
    for part, block in rows:
        flat = block.to(factors).reshape(-1, shape[1])
        if factors.dtype == total.dtype:
            total.addmm_(factors[:, part], flat)
        else:
            total += factors[:, part] @ flat
    return total.reshape(-1, channels, summary.places)


def block_share(coefficients: Tensor, summary: Summary, rows: int) -> Tensor:
    """How the rounding of blocks' products adds up in the whole sum, (B,), at most 1.

    The root sum of squares of what blocks of `rows` latents contribute to sum |c_n| |z_n|: the
    errors of different blocks do not know of one another.
    """
    parts = coefficients.abs() * summary.squared_norm.to(coefficients).sqrt()
    starts = range(0, summary.count, rows)
    sums = torch.stack([parts[:, start : start + rows].sum(dim=1) for start in starts])
    share: Tensor = torch.linalg.vector_norm(sums, dim=0) / sums.sum(dim=0)
    return share


def _check_sides(shape: tuple[int, ...]) -> None:
    if len(shape) != 3:
        raise ValueError(f"a low-pass split needs latents (N, C, H, W), not (N, {tuple(shape)}).")


def places(latents: Tensor) -> int:
    """P: elements of a channel of latents (N, C, ...); of (N, L), which is one channel, L."""
    return latents[0, 0].numel() if latents.ndim > 2 else latents.shape[1]


@dataclass(frozen=True)
class Split:
    """A mean split z = d + e of B mixtures' latents. L&K section 5.

    Attributes:
        mean: 0, m, chm, lp:k or lp:auto.
        cutoffs: of a low-pass split, (B,), in cycles per width; None for another.
    """

    mean: str
    cutoffs: Tensor | None

    def constant(self, channel_mean: Tensor) -> Tensor:
        """The part of d that is constant over space, per channel, (..., C)."""
        if self.mean == "0":
            return torch.zeros_like(channel_mean)
        if self.mean == "m":
            return channel_mean.mean(dim=-1, keepdim=True).expand_as(channel_mean)
        return channel_mean

    def equals(self, other: Split) -> bool:
        """Whether another takes the same off."""
        if self.cutoffs is None or other.cutoffs is None:
            return self.mean == other.mean
        return torch.equal(self.cutoffs, other.cutoffs)

    def rows(self, which: slice | Tensor) -> Split:
        """The same for some mixtures."""
        return Split(self.mean, None if self.cutoffs is None else self.cutoffs[which])


@dataclass(frozen=True)
class Averages:
    """Weighted means over the inputs of B mixtures, all linear in the weights but `beta`.

    Attributes:
        channel_mean: of the channels' means, (B, C).
        norm: sum w |z|, (B,).
        residual: sum w r, (B,), with r the norm of a latent without what the split takes off.
        beta: sum w^2, (B,).
    """

    channel_mean: Tensor
    norm: Tensor
    residual: Tensor
    beta: Tensor

    def moved(self, scale: float, by: Averages, before: Tensor, after: Tensor) -> Averages:
        """Those of one mixture, whose weights were scaled but for a few.

        Args:
            by: the averages with, for weights, what those few changed by beside.
            before, after: what those few weighed, scaled, and weigh, (k,).
        """
        return Averages(
            scale * self.channel_mean + by.channel_mean,
            scale * self.norm + by.norm,
            scale * self.residual + by.residual,
            scale**2 * self.beta + (after.square() - before.square()).sum(),
        )


@dataclass(frozen=True)
class Summary:
    """Sufficient statistics of N latents: all a norm target or a mean split asks of the inputs.

    Attributes:
        squared_norm: |z_n|^2, (N,).
        channel_mean: mean of each channel of z_n, (N, C).
        places: P, elements of a channel.
        spectrum: the slow part of the latents; None where no low-pass split asks for it.
        channel_norm: norm of each channel of z_n without its mean, (N, C); None where no adain asks
            for it.
        kept: `residual_norms` of single mixtures: live statistics ask for them again.
    """

    squared_norm: Tensor
    channel_mean: Tensor
    places: int
    spectrum: Spectrum | None = None
    channel_norm: Tensor | None = None
    kept: dict[tuple[str, float | None], Tensor] = field(
        default_factory=dict, compare=False, repr=False
    )

    @classmethod
    def of(cls, latents: Tensor, mean: str = "0", largest: float = LARGEST_CUTOFF) -> Summary:
        """The summary of latents (N, C, ...), with what a mean split needs.

        Args:
            largest: cut-off of the spectrum that is kept for a low-pass split.

        Raises:
            ValueError: a low-pass split, and the latents are not (N, C, H, W).
        """
        squares, means, spectra = [], [], []
        shape = latents.shape[1:]
        cuts = parse_cutoff(mean) is not None
        if cuts:
            _check_sides(shape)
        for _, block in blocks(latents, elements=CACHED_ELEMENTS):
            squares.append(block.square().sum(dim=2))
            means.append(block.mean(dim=2))
            if cuts:
                spectra.append(Spectrum.of(block.reshape(-1, *shape), largest))
        square, channel_mean = torch.cat(squares), torch.cat(means)
        summary = cls(square.sum(dim=1), channel_mean, places(latents))
        spectrum = Spectrum.stack(spectra) if spectra else None
        return replace(summary, channel_norm=summary._spread(square), spectrum=spectrum)

    def with_spectrum(self, rows: Blocks, shape: tuple[int, ...]) -> Summary:
        """The same with the spectrum of the latents, which come in blocks; shape is (C, H, W).

        Raises:
            ValueError: the latents have no height and width.
        """
        _check_sides(shape)
        spectrum = Spectrum.empty(self.count, shape, LARGEST_CUTOFF, self.channel_mean)
        for part, block in rows:
            spectrum.take(part, block.reshape(-1, *shape), LARGEST_CUTOFF)
        return replace(self, spectrum=spectrum)

    def with_channels(self, rows: Blocks) -> Summary:
        """The same with the norm of each channel of the latents, which come in blocks."""
        square = torch.cat(
            [block.to(self.channel_mean).flatten(2).square().sum(dim=2) for _, block in rows]
        )
        return replace(self, channel_norm=self._spread(square))

    def _spread(self, square: Tensor) -> Tensor:
        """Norms without the mean, (N, C), from sums of squares; what rounding leaves is nothing."""
        rest = square - self.channel_mean.square() * self.places
        return torch.where(rest > ROUNDING * torch.finfo(rest.dtype).eps * square, rest, 0.0).sqrt()

    def serves(self, method: Method) -> bool:
        """Whether it has what a method needs."""
        split_served = parse_cutoff(method.mean) is None or self.spectrum is not None
        return split_served and (method.norm != "adain" or self.channel_norm is not None)

    @property
    def count(self) -> int:
        """N."""
        return self.channel_mean.shape[0]

    @property
    def length(self) -> int:
        """L = C*P, elements of a latent."""
        return self.channel_mean.shape[1] * self.places

    @property
    def radius(self) -> float:
        """R = sqrt(L), the norm of a typical N(0, I) sample (L&K section 3)."""
        return math.sqrt(self.length)

    def resolve(self, mean: str, weights: Tensor) -> Split:
        """A mean split for B weightings (B, N), with the cut-off of each."""
        if parse_cutoff(mean) is None:
            return Split(mean, None)
        return Split(mean, self._slow.cutoffs(mean, weights))

    def averages(
        self, split: Split, weights: Tensor, which: slice | Tensor = slice(None)
    ) -> Averages:
        """Of mixtures with weights (B, N), or (B, k) of some of the latents."""
        channel_mean = weights @ self.channel_mean[which].to(weights)
        norm = weights @ self.residual_norms(Split("0", None))[0, which].to(weights)
        residual = norm
        if split.mean != "0":
            norms = self.residual_norms(split)[:, which].to(weights)
            residual = weights @ norms[0] if len(norms) == 1 else (weights * norms).sum(dim=1)
        return Averages(channel_mean, norm, residual, weights.square().sum(dim=1))

    def mean_channel_norm(self, weights: Tensor) -> Tensor:
        """sum w_n r_nc, (B, C), with r_nc the norm of a channel without its mean."""
        if self.channel_norm is None:
            raise ValueError("summary: adain needs the norms of the latents' channels.")
        return weights @ self.channel_norm.to(weights)

    def residual_norms(self, split: Split) -> Tensor:
        """r_n = |e_n|, the norm of a latent without what the split takes off, (B, N) or (1, N)."""
        if split.cutoffs is not None and len(split.cutoffs) > 1:
            return self._residual_norms(split)
        cutoff = None if split.cutoffs is None else float(split.cutoffs[0])
        key = ("lp" if split.cutoffs is not None else split.mean, cutoff)
        if key not in self.kept:
            self.kept[key] = self._residual_norms(split)
        return self.kept[key]

    def _residual_norms(self, split: Split) -> Tensor:
        common = split.constant(self.channel_mean).square().sum(dim=1) * self.places
        squares = (self.squared_norm - common)[None]
        if split.cutoffs is not None:
            squares = squares - self._slow.energy(split.cutoffs)
        # What rounding leaves of a latent that is all split off is nothing, not a small norm.
        floor = ROUNDING * torch.finfo(squares.dtype).eps * self.squared_norm
        return torch.where(squares > floor, squares, 0.0).sqrt()

    def add_common(self, total: Tensor, split: Split, weights: Tensor, sign: float = 1.0) -> None:
        """Add sign * sum w d to total (B, C, P), in place, for weights (B, N)."""
        if split.mean == "0":
            return
        common = split.constant(weights @ self.channel_mean.to(weights))[..., None].to(total)
        if split.cutoffs is None:
            total.add_(common, alpha=sign)
            return
        amplitudes, waves = self._slow.waves(weights, split.cutoffs)
        factors = torch.cat([common, amplitudes.to(total)], dim=2).flatten(0, 1)
        fields = torch.cat([torch.ones(1, self.places).to(waves), waves])
        total.view(-1, self.places).addmm_(factors, fields.to(total), alpha=sign)

    def slow_products(self, cutoff: float) -> Tensor:
        """<P z_i, P z_j> of the low-pass P without the means, (N, N)."""
        return self._slow.products(cutoff)

    def slow_bands(self, mean: str) -> Tensor:
        """<P z_i, P z_j> of each band P of a low-pass split, (K, N, N): its own, or each ring."""
        return self._slow.band_products(mean)

    @property
    def _slow(self) -> Spectrum:
        if self.spectrum is None:
            raise ValueError("summary: a low-pass split needs the latents' spectrum.")
        return self.spectrum
