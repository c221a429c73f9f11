"""What each latent is to a mixture: its angle to it, and the mixture without it.

A mixture is its weighted sum s = sum w_n z_n with a gain for each band (`bands`): 1 for what the
mean split takes off, that of the norm target for the others. Leaving picture n out makes s into (s
- w_n z_n)/(1 - w_n), whose bands follow from the same inner products: O(N^2) for all N with a Gram
matrix, one pass over the latents without one (clol: three), O(N) beyond that.

Norm targets that turn have another direction for each picture left out: `turned_influence`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

from latmix.mixing.bands import MEANS, onto_bands, own_bands, ring_edges, taken_bands
from latmix.mixing.blocks import ROUNDING, Blocks
from latmix.mixing.gram import Gram, Products
from latmix.mixing.grid import Method
from latmix.mixing.norms import Sizes
from latmix.mixing.summary import Cut, Summary, positive_root
from latmix.mixing.weighting import Scaling, Weighting


@dataclass(frozen=True)
class Inputs:
    """What each of N latents is to one mixture z'(w). Tuples are in the latents' order.

    Attributes:
        angle: between the latent and the mixture, in degrees.
        influence: |z'(w) - z'(w without n)| / |z'(w)|, the other weights scaled to sum to 1; 0 for
            a latent without weight. None, as the next three, where without it nothing is left to
            mix, or what is left cancels; and for all latents where it would take too long.
        amplification: alpha of the mixture without the latent.
        largest_mean: its largest channel mean, whatever the sign.
        norm_ratio: its norm / sqrt(L).
    """

    angle: tuple[float, ...]
    influence: tuple[float | None, ...]
    amplification: tuple[float | None, ...]
    largest_mean: tuple[float | None, ...]
    norm_ratio: tuple[float | None, ...]

    @property
    def is_known(self) -> bool:
        """Whether the mixtures without one of the latents are known."""
        return len(self.influence) == 1 or any(value is not None for value in self.influence)

    @property
    def nearest(self) -> int:
        """The latent at the smallest angle to the mixture."""
        return min(range(len(self.angle)), key=self.angle.__getitem__)

    @property
    def strongest(self) -> int | None:
        """The latent that drives the mixture: without it, it changes most. None: not known."""
        if not self.is_known:
            return None
        # A latent that cannot be left out is all there is.
        known = [math.inf if value is None else value for value in self.influence]
        return max(range(len(known)), key=known.__getitem__)


@dataclass(frozen=True)
class Mixtures:
    """The mixture of all N latents, row 0, and the mixtures without each, row n + 1.

    Attributes:
        onto: <z_n, z'>, (N,), with that of all.
        change: |z' - z'(without n)|^2, (N,).
        norm: (N + 1,).
        amplification: alpha, (N + 1,).
        channel_mean: (N + 1, C).
        is_left: whether there is something to mix without n, (N,).
    """

    onto: Tensor
    change: Tensor
    norm: Tensor
    amplification: Tensor
    channel_mean: Tensor
    is_left: Tensor

    def inputs(self, summary: Summary, weights: Tensor) -> Inputs:
        """What each latent is to the mixture with weights (N,)."""
        norm = self.norm[0]
        tiny = torch.finfo(norm.dtype).tiny
        influence = self.change.clamp_min(0).sqrt() / norm.clamp_min(tiny)
        is_left = self.is_left & (weights < 1)
        return Inputs(
            angle=angles(self.onto, summary.norms.to(norm) * norm),
            influence=_known(torch.where(weights > 0, influence, 0.0), is_left),
            amplification=_known(self.amplification[1:], is_left),
            largest_mean=_known(self.channel_mean[1:].abs().amax(dim=1), is_left),
            norm_ratio=_known(self.norm[1:] / summary.radius, is_left),
        )


def gram_influence(gram: Gram, weights: Tensor, method: Method) -> Inputs:
    """Of one weighting (N,) whose direction is that of its weights, from the Gram matrices of the
    latents, in O(C N^2)."""
    return _influence(method, gram.summary, weights, gram.centred @ weights, gram)


def sum_influence(rows: Blocks, total: Tensor, weighting: Weighting, products: Products) -> Inputs:
    """The same from the latents, which come in blocks, and their weighted sum (C, P)."""
    centred = total - total.mean(dim=1, keepdim=True)
    onto = [(block.to(centred).reshape(-1, *total.shape) * centred).sum(dim=2) for _, block in rows]
    method, summary, weights = weighting.method, weighting.summary, weighting.weights[0]
    return _influence(method, summary, weights, torch.cat(onto).T, products)


def _influence(
    method: Method, summary: Summary, weights: Tensor, centred: Tensor, products: Products
) -> Inputs:
    """From <e_nc, sum w e_c> of the channels of centred latents, (C, N)."""
    centred = centred if method.norm.per_channel else centred.sum(dim=0, keepdim=True)
    onto = onto_bands(summary, method, weights[None], centred[:, None])[:, 0].T
    bands = _Bands(method, summary, weights, onto, own_bands(summary, method).to(weights))
    sizes, is_left = bands.sizes(products)
    scaling = Scaling.of(method.norm, sizes.residual, sizes)
    is_sound = (is_left | (scaling.target <= scaling.size)).all(dim=1)
    if sizes.correlation is not None:
        is_sound = is_sound & (sizes.correlation[:, 0] > 0)
    means_alone = (MEANS, 0) if method.norm.per_channel else (0, 0)
    gain = torch.where(bands.taken, 1.0, functional.pad(scaling.gain, means_alone))
    # z'(w) - z'(w without n) = a s + b z_n in each band.
    scaled = gain[1:] * bands.scale
    a, b = gain[0] - scaled, scaled * weights[:, None]
    change = a.square() * bands.squares[0] + 2 * a * b * onto + b.square() * bands.own
    channel_mean = bands.means(summary.channel_mean.to(weights))
    common, alpha = method.split.constant(channel_mean), scaling.amplification
    return Mixtures(
        onto=onto @ gain[0],
        change=change.sum(dim=1),
        norm=(gain.square() * bands.squares).sum(dim=1).sqrt(),
        amplification=alpha,
        channel_mean=common + alpha[:, None] * (channel_mean - common),
        is_left=is_sound[1:],
    ).inputs(summary, weights)


@dataclass(frozen=True)
class _Bands:
    """The sums s of all N latents, row 0, and of all but one, row n + 1, by bands.

    Attributes:
        weights: of all, (N,).
        onto: <z_n, s> within each band, (N, K), with s of all.
        own: |z_n|^2 within it, (N, K).
    """

    method: Method
    summary: Summary
    weights: Tensor
    onto: Tensor
    own: Tensor

    @cached_property
    def scale(self) -> Tensor:
        """What the other weights are multiplied by without n, (N, 1)."""
        left = 1 - self.weights[:, None]
        return torch.where(left > 0, 1 / left, 1.0)

    def means(self, values: Tensor) -> Tensor:
        """Weighted means of values (N, J), (N + 1, J)."""
        whole = self.weights @ values
        without = (whole - self.weights[:, None] * values) * self.scale
        return torch.cat([whole[None], without])

    def quadratic(self, onto: Tensor, own: Tensor) -> Tensor:
        """w' A w, (N + 1, J), of J matrices A, from A w and their diagonals, (N, J)."""
        w, whole = self.weights[:, None], self.weights @ onto
        without = (whole - w * (2 * onto - w * own)) * self.scale.square()
        return torch.cat([whole[None], without]).clamp_min(0)

    @cached_property
    def squares(self) -> Tensor:
        """|s|^2 within each band, (N + 1, K)."""
        return self.quadratic(self.onto, self.own)

    @cached_property
    def beta(self) -> Tensor:
        """sum w^2, (N + 1, 1)."""
        return self.quadratic(self.weights[:, None], torch.ones_like(self.own[:, :1]))

    @cached_property
    def _edges(self) -> tuple[float, ...]:
        return ring_edges(self.summary, self.method.split)

    @cached_property
    def _rings(self) -> Tensor:
        """How many rings are taken off each, (N + 1,)."""
        split, edges = self.method.split, self._edges
        if split.cutoff is not None or not edges:
            return torch.full_like(self.squares[:, 0], len(edges), dtype=torch.long)
        ring = slice(MEANS, MEANS + len(edges))
        energy = self.means(self.own[:, ring])
        return split.rings(self.squares[:, ring], energy, self.beta).long()

    @cached_property
    def taken(self) -> Tensor:
        """Whether a band is split off, (N + 1, K)."""
        return taken_bands(self.method.split, self._rings, self.own.shape[1])

    def sizes(self, products: Products) -> tuple[Sizes, Tensor]:
        """What the norm target is computed from, and where something is left to scale, (N + 1, S).

        Args:
            products: of the latents, for a norm target that asks for their correlation.
        """
        norm, own = self.method.norm, self.own
        whole = own.sum(dim=1, keepdim=True)
        if norm.per_channel:
            mean_norm = self.means(positive_root(own[:, MEANS:], whole))
            squares = self.squares[:, MEANS:]
        else:
            # r_n for each number of rings that may be taken off.
            numbers = torch.arange(len(self._edges) + 1, device=own.device)
            left = ~taken_bands(self.method.split, numbers, own.shape[1])
            norms = self.means(positive_root(own @ left.to(own).T, whole))
            mean_norm = norms.gather(1, self._rings[:, None])
            squares = (self.squares * ~self.taken).sum(dim=1, keepdim=True)
        # The squares are differences: what rounding leaves of them is nothing.
        floor = ROUNDING * torch.finfo(own.dtype).eps * mean_norm.square()
        size = torch.where(squares > floor, squares, 0.0).sqrt()
        radius = self.summary.radius_of(norm)
        correlation = self._correlation(products) if norm.needs_correlation else None
        return Sizes(size, mean_norm, self.beta, radius, correlation), squares > floor

    def _correlation(self, products: Products) -> Tensor:
        """w' C w, (N + 1, 1); C_ij = <e_i, e_j>/(r_i r_j)."""
        weights, result = self.weights, torch.zeros_like(self.beta)
        for rings in torch.unique(self._rings).tolist():
            cutoff = weights.new_tensor([(0.0, *self._edges)[rings]]) if self._edges else None
            cut = Cut(self.method.split, cutoff)
            norms = self.summary.residual_norms(cut)[0].to(weights)
            inverse = torch.where(norms > 0, 1 / norms, 0.0)
            toward = products.times((weights * inverse)[None], cut)[0] * inverse
            found = self.quadratic(toward[:, None], (norms > 0).to(weights)[:, None])
            result = torch.where(self._rings[:, None] == rings, found, result)
        floor = ROUNDING * torch.finfo(weights.dtype).eps
        return torch.where(result > floor, result, 0.0)


def angles(onto: Tensor, lengths: Tensor) -> tuple[float, ...]:
    """In degrees, from inner products and products of norms."""
    cosines = onto / lengths.clamp_min(torch.finfo(onto.dtype).tiny)
    return tuple(torch.rad2deg(cosines.clamp(-1, 1).acos()).tolist())


def _known(values: Tensor, is_known: Tensor) -> tuple[float | None, ...]:
    """The values, and None for those that are not known."""
    pairs = zip(values.tolist(), is_known.tolist(), strict=True)
    return tuple(value if known else None for value, known in pairs)
