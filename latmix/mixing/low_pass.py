"""The low-pass mean split: what latents have at low spatial frequencies, the mean left out.

Frequencies are in cycles per latent width; the ring of radius k is all that is slower than k. The
mean of a channel is the ring of radius 0, which the `chm` split already takes, so that `lp:0` is
`chm`. Source: option 4 of L&K section 5, which the paper leaves to future work; the automatic
cut-off is latmix's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from latmix.mixing.grid import LARGEST_CUTOFF, parse_cutoff

CACHED_ELEMENTS = 1 << 18
"""Elements looked at several times in a row (2 MB in float64): they stay in a processor's cache."""

KEPT = 128
"""Latents up to which inner products of spectra are kept: live statistics ask for them again."""

FEW = 32
"""Coefficients up to which products with their waves are quicker than Fourier transforms."""

SLACK = 1e-4
"""Cycles: radii are square roots, and a ring on the cut-off is inside."""


@dataclass(frozen=True)
class Spectrum:
    """The slow part of N latents, up to the largest cut-off, without their means.

    Attributes:
        values: Fourier coefficients, (N, C, F) complex, scaled so that the sum of |values|^2 is the
            energy of the latents' slow part.
        radius: cycles per latent width of each, (F,).
        shape: (H, W) of the latents.
    """

    values: Tensor
    radius: Tensor
    shape: tuple[int, int]

    @classmethod
    def of(cls, latents: Tensor, largest: float = LARGEST_CUTOFF) -> Spectrum:
        """The spectrum of latents (N, C, H, W), up to a cut-off."""
        height, width = int(latents.shape[-2]), int(latents.shape[-1])
        plane = _half_plane(height, width, largest, latents.dtype, latents.device)
        if len(plane.radius) <= FEW:
            pairs = latents.flatten(2) @ _waves(plane).T
            values = torch.view_as_complex(pairs.reshape(*pairs.shape[:2], -1, 2))
        else:
            transformed = torch.fft.rfft2(latents, norm="ortho").flatten(2)
            values = transformed[..., plane.places] * plane.weight.sqrt()
        return cls(values, plane.radius, (height, width))

    @classmethod
    def empty(cls, count: int, shape: tuple[int, ...], largest: float, like: Tensor) -> Spectrum:
        """Of N latents that `take` is to be told of; shape is (C, H, W), like is of their type."""
        one = cls.of(like.new_empty(1, *shape), largest)
        return cls(one.values.new_empty(count, *one.values.shape[1:]), one.radius, one.shape)

    def take(self, part: slice, latents: Tensor, largest: float) -> None:
        """Put in the spectrum of some of the latents, (n, C, H, W), a few at a time."""
        rows = max(1, CACHED_ELEMENTS // latents[0].numel())
        for values, some in zip(
            torch.split(self.values[part], rows), torch.split(latents, rows), strict=True
        ):
            values.copy_(Spectrum.of(some.to(self.radius), largest).values)

    @staticmethod
    def stack(parts: list[Spectrum]) -> Spectrum:
        """The spectra of all parts' latents, one after the other."""
        values = torch.cat([part.values for part in parts])
        return Spectrum(values, parts[0].radius, parts[0].shape)

    @cached_property
    def power(self) -> Tensor:
        """|values|^2 over all channels, (N, F)."""
        return torch.view_as_real(self.values).square().sum(dim=(1, 3))

    def bands(self, mean: str) -> Tensor:
        """1 for coefficients within each band, (K, F): of "lp:k" what it takes off, of "lp:auto"
        the rings of whole radii (k-1, k], as many as the latents are wide enough for."""
        cutoff = parse_cutoff(mean)
        if isinstance(cutoff, float):
            return self._inside(self.radius.new_tensor([cutoff]))
        # At most to where every frequency along a row is inside: a ring beyond takes nearly all.
        last = max(1, min(int(LARGEST_CUTOFF), self.shape[1] // 2))
        rings = torch.arange(1, last + 1, device=self.radius.device)
        return (self.radius.ceil() == rings[:, None]).to(self.radius)

    def energy(self, cutoffs: Tensor) -> Tensor:
        """|P z_n|^2 without the mean, (B, N), for B cut-offs."""
        return self._inside(cutoffs) @ self.power.T

    def variances(self, weights: Tensor, cutoffs: Tensor) -> Tensor:
        """Variance over space of each channel of P sum w_n z_n, (K, C), for weights (N,) and K
        cut-offs; 0 for a cut-off of 0."""
        power = torch.view_as_real(self.sums(weights[None])[0]).square().sum(dim=2)
        return self._inside(cutoffs) @ power.T / math.prod(self.shape)

    def products(self, cutoff: float) -> Tensor:
        """Inner products of the latents' parts within a cut-off, (N, N)."""
        return self.band_products(f"lp:{cutoff:g}")[0]

    def waves(self, weights: Tensor, cutoffs: Tensor) -> tuple[Tensor, Tensor]:
        """P sum w_n z_n without the means, for B weightings and cut-offs, as a product with few
        waves: their amplitudes (B, C, 2 K), and what they are over space, (2 K, H W)."""
        largest = float(cutoffs.max())
        used = self.radius <= largest + SLACK
        some = Spectrum(self.values[..., used], self.radius[used], self.shape)
        summed = some.sums(weights) * some._inside(cutoffs)[:, None]
        plane = _half_plane(*self.shape, largest, self.radius.dtype, self.radius.device)
        return torch.view_as_real(summed).flatten(2), _waves(plane)

    def onto(self, weights: Tensor, mean: str) -> Tensor:
        """Inner products of each latent with sum w_n z_n within each of the `bands`, (N, K)."""
        if len(self.values) <= KEPT:
            return (self.band_products(mean).to(weights) @ weights).T
        summed = torch.view_as_real(self.sums(weights[None])[0])
        each = (torch.view_as_real(self.values) * summed).sum(dim=(1, 3))
        return each @ self.bands(mean).T

    def band_products(self, mean: str) -> Tensor:
        """Inner products of the latents within each of the `bands`, (K, N, N), made once where
        they are kept."""
        if mean in self._made:
            return self._made[mean]
        rows = [
            torch.view_as_real(self.values[..., band > 0]).flatten(1) for band in self.bands(mean)
        ]
        products = torch.stack([row @ row.T for row in rows])
        if len(self.values) <= KEPT:
            self._made[mean] = products
        return products

    @cached_property
    def _made(self) -> dict[str, Tensor]:
        return {}

    def sums(self, weights: Tensor) -> Tensor:
        """The coefficients of sum w_n z_n, (B, C, F), for weights (B, N)."""
        summed = (weights @ self._flat).reshape(len(weights), *self.values.shape[1:], 2)
        return torch.view_as_complex(summed)

    def cutoffs(self, mean: str, weights: Tensor) -> Tensor:
        """The cut-off of each mixture, (B,): the split's own, or for "lp:auto" the largest ring
        that the latents share.

        A ring of whole radii (k-1, k] is shared where N_eff s > 1, with s = (Q - beta S) / ((1 -
        beta) S) the share of its power that is common: Q = mean |sum w Z|^2, S = mean sum w |Z|^2.
        For independent latents E[Q] = beta S, so that s is 0; for equal ones Q = S and s is 1.
        """
        cutoff = parse_cutoff(mean)
        if isinstance(cutoff, float):
            return torch.full_like(weights[:, 0], cutoff)
        beta = weights.square().sum(dim=1, keepdim=True)
        member = self.bands(mean).to(weights)
        own = weights @ (self.power @ member.T)
        if len(self.values) <= KEPT:
            products = self.band_products(mean).to(weights)
            common = ((weights @ products) * weights).sum(dim=2).T
        else:
            common = self.sums(weights).abs().square().sum(dim=1) @ member.T
        return shared_rings(common, own, beta)

    @cached_property
    def _flat(self) -> Tensor:
        """The coefficients' real and imaginary parts, (N, 2 C F)."""
        return torch.view_as_real(self.values).flatten(1)

    def _inside(self, cutoffs: Tensor) -> Tensor:
        """1 for coefficients within each cut-off, (B, F)."""
        return (self.radius <= cutoffs[:, None] + SLACK).to(cutoffs)


def shared_rings(common: Tensor, own: Tensor, beta: Tensor) -> Tensor:
    """The largest ring that the latents of each mixture share, (B,), 0 for none.

    Args:
        common: |sum w Z|^2 within each ring, (B, K).
        own: sum w |Z|^2, (B, K).
        beta: sum w^2, (B, 1).
    """
    rings = torch.arange(1, common.shape[1] + 1, device=common.device)
    share = (common - beta * own) / ((1 - beta) * own).clamp_min(torch.finfo(own.dtype).tiny)
    # One picture alone shares nothing with others; its share would be rounding.
    shared = (share > beta) & (beta < 1 - SLACK)
    largest: Tensor = (shared * rings).amax(dim=1).to(common)
    return largest


@dataclass(frozen=True, eq=False)
class _HalfPlane:
    """The slow coefficients of a half spectrum, without the mean.

    Attributes:
        places: of each in the flat half spectrum, (K,).
        radius: in cycles per width, (K,).
        weight: how often it counts: those inside stand for their mirror images too, (K,).
        shape: (H, W) of the latents.
    """

    places: Tensor
    radius: Tensor
    weight: Tensor
    shape: tuple[int, int]


@lru_cache(maxsize=4)
@torch.inference_mode(False)  # what is kept must serve everybody
def _half_plane(
    height: int, width: int, largest: float, kind: torch.dtype, device: torch.device
) -> _HalfPlane:
    """Of latents (H, W), up to a cut-off."""
    down = torch.fft.fftfreq(height, dtype=kind, device=device)[:, None] * width
    across = torch.fft.rfftfreq(width, dtype=kind, device=device)[None] * width
    weight = torch.full((height, width // 2 + 1), 2.0, dtype=kind, device=device)
    weight[:, 0] = 1.0
    if width % 2 == 0:
        weight[:, -1] = 1.0
    radius = (down.square() + across.square()).sqrt()
    kept = (radius > 0) & (radius <= largest + SLACK)
    places = kept.flatten().nonzero()[:, 0]
    return _HalfPlane(places, radius[kept], weight[kept], (height, width))


@lru_cache(maxsize=4)
@torch.inference_mode(False)
def _waves(plane: _HalfPlane) -> Tensor:
    """What the real and the imaginary part of each coefficient are over space, (2 K, H W); a
    latent's products with them are its coefficients."""
    (height, width), count = plane.shape, len(plane.places)
    if not count:  # no transform of nothing
        return plane.radius.new_zeros(0, height * width)
    shape = (2 * count, height, width // 2 + 1)
    units = torch.zeros(shape, dtype=plane.radius.dtype.to_complex(), device=plane.radius.device)
    size, rows = plane.weight.rsqrt().to(units), torch.arange(count, device=units.device)
    flat = units.flatten(1)
    flat[2 * rows, plane.places], flat[2 * rows + 1, plane.places] = size, 1j * size
    waves: Tensor = torch.fft.irfft2(units, s=plane.shape, norm="ortho")
    return waves.flatten(1)
