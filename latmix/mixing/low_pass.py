"""What latents have at low spatial frequencies, the mean left out: what a low-pass split takes off.

Frequencies are in cycles per latent width; within a cut-off k is all that is no faster than k. The
mean of a channel, at 0 cycles, is what the split `chm` takes. `splits` says where a split cuts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from latmix.mixing.blocks import CACHED_ELEMENTS, parts
from latmix.mixing.splits import LARGEST_CUTOFF, SLACK, Split

KEPT = 128
"""Latents up to which inner products of spectra are kept: live statistics ask for them again."""

FEW = 32
"""Coefficients up to which products with their waves are quicker than Fourier transforms."""


@dataclass(frozen=True)
class Spectrum:
    """The slow part of N latents, up to the largest cut-off, without their means.

    Attributes:
        values: Fourier coefficients, (N, C, F) complex, scaled so that the sum of |values|^2 is the
            energy of the latents' slow part.
        plane: which coefficients they are.
        made: `products` that are kept.
    """

    values: Tensor
    plane: HalfPlane
    made: dict[tuple[float, ...], Tensor] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, latents: Tensor, largest: float = LARGEST_CUTOFF) -> Spectrum:
        """The spectrum of latents (N, C, H, W), up to a cut-off."""
        height, width = latents.shape[-2:]
        plane = half_plane(height, width, largest, latents.dtype, latents.device)
        return cls(_coefficients(latents, plane), plane)

    @classmethod
    def empty(cls, count: int, shape: tuple[int, ...], largest: float, like: Tensor) -> Spectrum:
        """Of N latents, to be filled by `take`; shape is (C, H, W), like is of their type.

        Raises:
            ValueError: the latents have no height and width.
        """
        if len(shape) != 3:
            raise ValueError(f"a low-pass split needs latents (N, C, H, W), not (N, {(*shape,)}).")
        plane = half_plane(*shape[1:], largest, like.dtype, like.device)
        kind = like.dtype.to_complex()
        return cls(like.new_empty(count, shape[0], len(plane.radius), dtype=kind), plane)

    def take(self, part: slice, latents: Tensor) -> None:
        """Put in the spectrum of some of the latents, (n, C, ...), a few at a time."""
        values, latents = self.values[part], latents.reshape(len(latents), -1, *self.plane.shape)
        for some in parts(len(latents), latents[0].numel(), CACHED_ELEMENTS):
            values[some] = _coefficients(latents[some].to(self.plane.radius), self.plane)

    @cached_property
    def power(self) -> Tensor:
        """|values|^2 over all channels, (N, F)."""
        return torch.view_as_real(self.values).square().sum(dim=(1, 3))

    def edges(self, split: Split) -> tuple[float, ...]:
        """Where the rings end that a split may take off these latents."""
        # At most to where every frequency along a row is inside: a ring beyond takes nearly all.
        return split.edges(max(1, min(int(LARGEST_CUTOFF), self.plane.shape[1] // 2)))

    def ring_energy(self, edges: tuple[float, ...]) -> Tensor:
        """|z_n|^2 within each ring, (N, K)."""
        return self.power @ self._members(edges).T

    def energy(self, cutoffs: Tensor) -> Tensor:
        """|P z_n|^2 without the mean, (B, N), for B cut-offs."""
        return self._inside(cutoffs) @ self.power.T

    def variances(self, weights: Tensor, cutoffs: Tensor) -> Tensor:
        """Variance over space of each channel of P sum w_n z_n, (K, C), for weights (N,) and K
        cut-offs; 0 for a cut-off of 0."""
        power = torch.view_as_real(self.sums(weights[None])[0]).square().sum(dim=2)
        return self._inside(cutoffs) @ power.T / math.prod(self.plane.shape)

    def waves(self, weights: Tensor, cutoffs: Tensor) -> tuple[Tensor, Tensor]:
        """P sum w_n z_n without the means, for B weightings and cut-offs, as a product with few
        waves: their amplitudes (B, C, 2 K), and what they are over space, (2 K, H W)."""
        largest, radius = float(cutoffs.max()), self.plane.radius
        plane = half_plane(*self.plane.shape, largest, radius.dtype, radius.device)
        some = Spectrum(self.values[..., radius <= largest + SLACK], plane)
        summed = some.sums(weights) * some._inside(cutoffs)[:, None]
        return torch.view_as_real(summed).flatten(2), _waves(plane)

    def onto(self, weights: Tensor, edges: tuple[float, ...]) -> Tensor:
        """Inner products of each latent with sum w_n z_n within each ring, (K, B, N), for weights
        (B, N)."""
        if len(self.values) <= KEPT:
            return weights @ self.products(edges).to(weights)
        return torch.stack([weights @ rows @ rows.T for rows in self._ring_rows(edges)])

    def products(self, edges: tuple[float, ...]) -> Tensor:
        """Inner products of the latents within each ring, (K, N, N), made once where they are
        kept."""
        if edges in self.made:
            return self.made[edges]
        products = torch.stack([rows @ rows.T for rows in self._ring_rows(edges)])
        if len(self.values) <= KEPT:
            self.made[edges] = products
        return products

    def sums(self, weights: Tensor) -> Tensor:
        """The coefficients of sum w_n z_n, (B, C, F), for weights (B, N)."""
        summed = (weights @ self._flat).reshape(len(weights), *self.values.shape[1:], 2)
        return torch.view_as_complex(summed)

    def cutoffs(self, split: Split, weights: Tensor) -> Tensor:
        """Up to how many cycles a split takes off all of each mixture, (B,) or where that is fixed
        (1,), for weights (B, N)."""
        if split.cutoff is not None:
            return weights.new_tensor([split.cutoff])
        edges = self.edges(split)
        own = weights @ self.ring_energy(edges).to(weights)
        if len(self.values) <= KEPT:
            common = (self.onto(weights, edges) * weights).sum(dim=2).T
        else:
            power = self.sums(weights).abs().square().sum(dim=1)
            common = power @ self._members(edges).to(weights).T
        rings = split.rings(common, own, weights.square().sum(dim=1, keepdim=True))
        return own.new_tensor([0.0, *edges])[rings.long()]

    def _ring_rows(self, edges: tuple[float, ...]) -> Iterator[Tensor]:
        """The coefficients within each ring, (N, 2 C k)."""
        for ring in self._members(edges):
            yield torch.view_as_real(self.values[..., ring > 0]).flatten(1)

    def _members(self, edges: tuple[float, ...]) -> Tensor:
        """1 for coefficients within each ring, (K, F)."""
        inside = self._inside(self.plane.radius.new_tensor([0.0, *edges]))
        return inside[1:] - inside[:-1]

    @cached_property
    def _flat(self) -> Tensor:
        """The coefficients' real and imaginary parts, (N, 2 C F)."""
        return torch.view_as_real(self.values).flatten(1)

    def _inside(self, cutoffs: Tensor) -> Tensor:
        """1 for coefficients within each cut-off, (B, F)."""
        return (self.plane.radius <= cutoffs[:, None] + SLACK).to(cutoffs)


def _coefficients(latents: Tensor, plane: HalfPlane) -> Tensor:
    """Of latents (n, C, H, W), (n, C, F)."""
    if len(plane.radius) <= FEW:
        pairs = latents.flatten(2) @ _waves(plane).T
        return torch.view_as_complex(pairs.reshape(*pairs.shape[:2], -1, 2))
    transformed: Tensor = torch.fft.rfft2(latents, norm="ortho").flatten(2)
    return transformed[..., plane.places] * plane.weight.sqrt()


@dataclass(frozen=True, eq=False)
class HalfPlane:
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
def half_plane(
    height: int, width: int, largest: float, kind: torch.dtype, device: torch.device
) -> HalfPlane:
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
    return HalfPlane(places, radius[kept], weight[kept], (height, width))


@lru_cache(maxsize=4)
@torch.inference_mode(False)
def _waves(plane: HalfPlane) -> Tensor:
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
