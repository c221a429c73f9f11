"""The low-pass mean split: what latents have at low spatial frequencies, the mean left out.

Frequencies are in cycles per latent width; the ring of radius k is all that is slower than k. The
mean of a channel is the ring of radius 0, which the `chm` split already takes, so that `lp:0` is
`chm`. Source: option 4 of L&K section 5, which the paper leaves to future work; the automatic
cut-off is latmix's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from latmix.mixing.grid import LARGEST_CUTOFF, parse_cutoff

KEPT = 128
"""Latents up to which inner products of spectra are kept: live statistics ask for them again."""

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
    def of(cls, latents: Tensor) -> Spectrum:
        """The spectrum of latents (N, C, H, W)."""
        height, width = int(latents.shape[-2]), int(latents.shape[-1])
        radius, weight = _half_plane(latents)
        kept = _kept(radius)
        values = torch.fft.rfft2(latents, norm="ortho")[..., kept] * weight[kept].sqrt()
        return cls(values, radius[kept], (height, width))

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
        the rings of whole radii (k-1, k]."""
        cutoff = parse_cutoff(mean)
        if isinstance(cutoff, float):
            return self._inside(self.radius.new_tensor([cutoff]))
        rings = torch.arange(1, int(LARGEST_CUTOFF) + 1, device=self.radius.device)
        return (self.radius.ceil() == rings[:, None]).to(self.radius)

    def energy(self, cutoffs: Tensor) -> Tensor:
        """|P z_n|^2 without the mean, (B, N), for B cut-offs."""
        return self._inside(cutoffs) @ self.power.T

    def variance(self, weights: Tensor, cutoff: Tensor) -> Tensor:
        """Variance over space of each channel of P sum w_n z_n, (C,), for weights (N,)."""
        height, width = self.shape
        if len(self.values) <= KEPT:
            products = self.band_products(f"lp:{float(cutoff):g}", by_channel=True).to(weights)
            quadratic: Tensor = products @ weights @ weights
            return quadratic.clamp_min(0.0) / (height * width)
        power = self.sums(weights[None])[0].abs().square()
        return power @ self._inside(cutoff[None])[0] / (height * width)

    def products(self, cutoff: float) -> Tensor:
        """Inner products of the latents' parts within a cut-off, (N, N)."""
        return self.band_products(f"lp:{cutoff:g}")[0]

    def fields(self, weights: Tensor, cutoffs: Tensor, kind: torch.dtype) -> Tensor:
        """P sum w_n z_n without the means, (B, C, H, W), for B weightings and cut-offs."""
        inside = self._inside(cutoffs)
        used = inside.any(dim=0)
        summed = (self.sums(weights) * inside[:, None])[..., used]
        waves = self._waves(used).to(kind)
        slow = torch.view_as_real(summed).flatten(2).to(kind) @ waves
        return slow.reshape(*slow.shape[:2], *self.shape)

    def _waves(self, used: Tensor) -> Tensor:
        """What the real and the imaginary part of some coefficients make, (2 K, H W): a product
        with these few is quicker than a Fourier transform of every mixture."""
        radius, weight = _half_plane(self.radius.new_empty(self.shape))
        kept = _kept(radius)
        places = kept.flatten().nonzero()[used, 0]
        units = torch.zeros(
            2 * len(places), radius.numel(), dtype=self.values.dtype, device=radius.device
        )
        size = weight.flatten()[places].rsqrt().to(units)
        rows = torch.arange(len(places), device=radius.device)
        units[2 * rows, places], units[2 * rows + 1, places] = size, 1j * size
        spectrum = units.reshape(-1, *radius.shape)
        if not len(spectrum):  # no transform of nothing
            return radius.new_zeros(0, math.prod(self.shape))
        waves: Tensor = torch.fft.irfft2(spectrum, s=self.shape, norm="ortho")
        return waves.flatten(1)

    def onto(self, weights: Tensor, mean: str) -> Tensor:
        """Inner products of each latent with sum w_n z_n within each of the `bands`, (N, K)."""
        if len(self.values) <= KEPT:
            return (self.band_products(mean).to(weights) @ weights).T
        summed = torch.view_as_real(self.sums(weights[None])[0])
        each = (torch.view_as_real(self.values) * summed).sum(dim=(1, 3))
        return each @ self.bands(mean).T

    def band_products(self, mean: str, by_channel: bool = False) -> Tensor:
        """Inner products of the latents within each of the `bands`, (K, N, N), or within all of
        them but for each channel, (C, N, N); made once where they are kept."""
        if (mean, by_channel) in self._made:
            return self._made[mean, by_channel]
        bands = self.bands(mean)
        parts = [self.values[..., band > 0] for band in bands]
        if by_channel:
            parts = list(self.values[..., bands.sum(dim=0) > 0].unbind(dim=1))
        rows = [torch.view_as_real(part).flatten(1) for part in parts]
        products = torch.stack([row @ row.T for row in rows])
        if len(self.values) <= KEPT:
            self._made[mean, by_channel] = products
        return products

    @cached_property
    def _made(self) -> dict[tuple[str, bool], Tensor]:
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


def _kept(radius: Tensor) -> Tensor:
    """Which coefficients a spectrum keeps."""
    return (radius > 0) & (radius <= LARGEST_CUTOFF)


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


def _half_plane(latents: Tensor) -> tuple[Tensor, Tensor]:
    """Radius of each coefficient of (..., H, W)'s half spectrum, and how often it counts."""
    height, width = int(latents.shape[-2]), int(latents.shape[-1])
    kind, device = latents.dtype, latents.device
    down = torch.fft.fftfreq(height, dtype=kind, device=device)[:, None] * width
    across = torch.fft.rfftfreq(width, dtype=kind, device=device)[None] * width
    # Columns inside the half plane stand for their mirror images too.
    weight = torch.full((height, width // 2 + 1), 2.0, dtype=kind, device=device)
    weight[:, 0] = 1.0
    if width % 2 == 0:
        weight[:, -1] = 1.0
    return (down.square() + across.square()).sqrt(), weight
