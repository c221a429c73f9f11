"""What each latent is to a mixture: its angle to it, and the mixture without it.

Both follow from inner products of the latents with their weighted sum s = sum w_n z_n, taken apart
into orthogonal bands: the overall mean, the rest of the channel means, low frequencies, the rest
(for adain, the rest of each channel). A mean split takes the first of these bands off, so that z'
is s with a gain for each band: 1 for those, alpha for the others. Leaving picture n out makes s
into (s - w_n z_n)/(1 - w_n), whose bands follow from the same inner products: O(N^2) for all N with
a Gram matrix, one pass over the latents without one (clol: three), O(N) beyond that.

slerp and nao have another direction for each picture left out: `left_out` finds those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from latmix.mixing.direction import Products
from latmix.mixing.formula import norm_target, ratio
from latmix.mixing.gram import Gram
from latmix.mixing.grid import AUTO, Method, parse_cutoff
from latmix.mixing.low_pass import shared_rings
from latmix.mixing.summary import ROUNDING, Blocks, Split, Summary

MEAN_BANDS = 2
"""The overall mean, and the rest of the channel means."""

BANDS_OF_MEAN = {"0": 0, "m": 1, "chm": MEAN_BANDS}
"""How many bands a mean split takes off; a low-pass split those of the means and slow ones."""


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
class Projections:
    """Inner products of N latents with their weighted sum s, by bands.

    Attributes:
        onto: <z_n, s> within each band, (N, B).
        own: |z_n|^2 within each band, (N, B).
    """

    onto: Tensor
    own: Tensor


def gram_projections(gram: Gram, weights: Tensor, method: Method) -> Projections:
    """From the Gram matrices of the latents, in O(C N^2)."""
    return _by_bands(gram.summary, weights, method, (gram.centred @ weights).T)


def block_projections(
    rows: Blocks, total: Tensor, summary: Summary, weights: Tensor, method: Method
) -> Projections:
    """From the latents, which come in blocks, and their weighted sum (C, P)."""
    centred = total - total.mean(dim=1, keepdim=True)
    onto = [(block.to(centred).reshape(-1, *total.shape) * centred).sum(dim=2) for _, block in rows]
    return _by_bands(summary, weights, method, torch.cat(onto))


def input_statistics(
    projections: Projections,
    summary: Summary,
    weights: Tensor,
    method: Method,
    products: Products | None = None,
) -> Inputs:
    """The angles, and the mixtures without one of the latents, for weights (N,) that sum to 1.

    Args:
        method: whose direction is that of the weights: not slerp, not nao.
        products: of the latents; clol needs them.
    """
    parts = _parts(projections, summary, weights, method, products)
    alpha, gain, is_sound = _amplification(parts, method, summary.radius)
    norm = (gain.square() * parts.square).sum(dim=1).sqrt()
    common = Split(method.mean, None).constant(parts.channel_mean)
    channel_mean = common + alpha[:, None] * (parts.channel_mean - common)
    tiny = torch.finfo(weights.dtype).tiny
    lengths = summary.squared_norm.to(weights).sqrt() * norm[0]
    cosine = projections.onto @ gain[0] / lengths.clamp_min(tiny)
    # z'(w) - z'(w without n) = a s + b z_n in each band.
    share = (weights * parts.scale)[:, None]
    a, b = gain[0] - gain[1:] * parts.scale[:, None], gain[1:] * share
    change = a.square() * parts.square[0]
    change = change + 2 * a * b * projections.onto + b.square() * projections.own
    influence = change.sum(dim=1).clamp_min(0).sqrt() / norm[0].clamp_min(tiny)
    is_left = is_sound[1:] & (weights < 1)
    return Inputs(
        angle=degrees(cosine),
        influence=known(torch.where(weights > 0, influence, 0.0), is_left),
        amplification=known(alpha[1:], is_left),
        largest_mean=known(channel_mean[1:].abs().amax(dim=1), is_left),
        norm_ratio=known(norm[1:] / summary.radius, is_left),
    )


@dataclass(frozen=True)
class _Parts:
    """What N + 1 mixtures are made of: row 0 is that of all latents, row n + 1 is without n.

    Attributes:
        scale: 1 / (1 - w_n), (N,).
        square: |s|^2 within each band, (N + 1, B).
        channel_mean: of s, (N + 1, C).
        beta: sum w^2, (N + 1,).
        scaled: whether a band is scaled and not split off, (N + 1, B).
        mean_norm: sum w r, (N + 1,), or for adain sum w r_c, (N + 1, C).
        correlated: w' C w, (N + 1,), for clol.
    """

    scale: Tensor
    square: Tensor
    channel_mean: Tensor
    beta: Tensor
    scaled: Tensor
    mean_norm: Tensor
    correlated: Tensor | None


def _parts(
    projections: Projections,
    summary: Summary,
    weights: Tensor,
    method: Method,
    products: Products | None,
) -> _Parts:
    onto, own = projections.onto, projections.own
    scale = torch.where(weights < 1, 1 / (1 - weights), 1.0)

    def rows(whole: Tensor, without: Tensor) -> Tensor:
        """The sums over all latents (...), and those over all but one (N, ...)."""
        return torch.cat([whole[None], without])

    w, s = weights[:, None], scale[:, None]
    square = weights @ onto
    squares = rows(square, (square - 2 * w * onto + w.square() * own) * s.square()).clamp_min(0)
    means = summary.channel_mean.to(weights)
    mean = weights @ means
    beta = weights.square().sum()
    betas = rows(beta, (beta - weights.square()) * scale.square())
    energy = weights @ own
    energies = rows(energy, (energy - w * own) * s)
    cuts = _cuts(method, squares, energies, betas)
    if method.norm == "adain":
        norms = _norms(own[:, MEAN_BANDS:], own)
        norm = weights @ norms
        mean_norm = rows(norm, (norm - w * norms) * s)
    else:
        norms = _residual_norms(own)
        norm = weights @ norms
        own_cut = norms.gather(1, cuts[1:, None])[:, 0]
        mean_norm = torch.cat([norm[cuts[:1]], (norm[cuts[1:]] - weights * own_cut) * scale])
    correlated = None
    if method.norm == "clol" and products is not None:
        correlated = _correlations(cuts, summary, weights, method, products)
    return _Parts(
        scale=scale,
        square=squares,
        channel_mean=rows(mean, (mean - w * means) * s),
        beta=betas,
        scaled=torch.arange(own.shape[1]) >= cuts[:, None],
        mean_norm=mean_norm,
        correlated=correlated,
    )


def _correlations(
    cuts: Tensor, summary: Summary, weights: Tensor, method: Method, products: Products
) -> Tensor:
    """w' C w of all latents and of all but one, (N + 1,); C_ij = <e_i, e_j>/(r_i r_j)."""
    result = torch.zeros(len(weights) + 1).to(weights)
    for cut in sorted(set(cuts.tolist())):
        split = summary.resolve(method.mean, weights[None])
        if parse_cutoff(method.mean) == AUTO:
            split = Split(method.mean, weights.new_tensor([cut - MEAN_BANDS]))
        norms = summary.residual_norms(split)[0].to(weights)
        pointing = torch.where(norms > 0, weights, 0.0)
        inverse = torch.where(norms > 0, 1 / norms, 0.0)
        toward = products.times((pointing * inverse)[None], split)[0] * inverse
        whole = pointing @ toward
        without = whole - 2 * pointing * toward + pointing.square()
        left = torch.where(weights < 1, 1 - weights, 1.0)
        both = torch.cat([whole[None], without / left.square()])
        result = torch.where(cuts == cut, both, result)
    floor = ROUNDING * torch.finfo(weights.dtype).eps
    return torch.where(result > floor, result, 0.0)


def _amplification(parts: _Parts, method: Method, radius: float) -> tuple[Tensor, Tensor, Tensor]:
    """alpha = rho/|m|, (N + 1,); the gain of each band; and whether something is left to scale."""
    if method.norm == "adain":
        squares, target = parts.square[:, MEAN_BANDS:], parts.mean_norm
    else:
        squares, target = (parts.square * parts.scaled).sum(dim=1, keepdim=True), None
    # The squares are differences: what rounding leaves of them is nothing.
    floor = ROUNDING * torch.finfo(squares.dtype).eps
    is_left = squares > floor * parts.mean_norm.reshape(squares.shape).square()
    sizes = torch.where(is_left, squares, 0.0).sqrt()
    if target is None:
        mean_norm, size = parts.mean_norm, sizes[:, 0]
        rho = norm_target(method.norm, size, mean_norm, parts.beta, radius, parts.correlated)
        target = rho[:, None]
    gains = ratio(target, sizes)
    alpha = ratio(target.norm(dim=1), sizes.norm(dim=1))
    is_sound = (is_left | (target <= sizes)).all(dim=1)
    if parts.correlated is not None:
        is_sound = is_sound & (parts.correlated > 0)
    if method.norm == "adain":
        means = gains.new_ones(len(gains), MEAN_BANDS)
        return alpha, torch.cat([means, gains], dim=1), is_sound
    return alpha, torch.where(parts.scaled, gains, 1.0), is_sound


def _residual_norms(own: Tensor) -> Tensor:
    """r_n where the first 0..B-1 bands are split off, (N, B)."""
    return _norms(own.flip(1).cumsum(dim=1).flip(1), own)


def _norms(squares: Tensor, own: Tensor) -> Tensor:
    """Norms whose squares, (N, K), are differences of the bands' own, (N, B)."""
    floor = ROUNDING * torch.finfo(own.dtype).eps * own.sum(dim=1, keepdim=True)
    return torch.where(squares > floor, squares, 0.0).sqrt()


def _cuts(method: Method, squares: Tensor, energies: Tensor, betas: Tensor) -> Tensor:
    """How many of the first bands the mean split takes off each mixture, (K,)."""
    cutoff = parse_cutoff(method.mean)
    if cutoff is None:
        return torch.full(betas.shape, BANDS_OF_MEAN[method.mean], dtype=torch.long)
    if isinstance(cutoff, float):
        return torch.full(betas.shape, MEAN_BANDS + 1, dtype=torch.long)
    rings = slice(MEAN_BANDS, -1)
    return MEAN_BANDS + shared_rings(squares[:, rings], energies[:, rings], betas[:, None]).long()


def _by_bands(summary: Summary, weights: Tensor, method: Method, centred: Tensor) -> Projections:
    """Projections whose bands follow from the summary, but for <e_nc, sum w e_c> of the channels of
    centred latents.

    Args:
        centred: that inner product, (N, C).
    """
    means = summary.channel_mean.to(weights)
    mean = weights @ means
    places = summary.places
    overall, grand = means.mean(dim=1), mean.mean()
    offsets, offset = means - overall[:, None], mean - grand
    onto = [summary.length * overall * grand, places * offsets @ offset]
    own = [summary.length * overall.square(), places * offsets.square().sum(dim=1)]
    if method.norm == "adain" and summary.channel_norm is not None:
        rest_onto, rest_own = centred, summary.channel_norm.to(weights).square()
    else:
        slow_onto, slow_own = _slow_bands(summary, weights, method)
        rest = summary.squared_norm.to(weights) - sum(own) - slow_own.sum(dim=1)
        last = centred.sum(dim=1) - slow_onto.sum(dim=1)
        rest_onto = torch.cat([slow_onto, last[:, None]], dim=1)
        rest_own = torch.cat([slow_own, rest.clamp_min(0)[:, None]], dim=1)
    return Projections(
        torch.cat([torch.stack(onto, dim=1), rest_onto], dim=1),
        torch.cat([torch.stack(own, dim=1), rest_own], dim=1),
    )


def _slow_bands(summary: Summary, weights: Tensor, method: Method) -> tuple[Tensor, Tensor]:
    """The bands of a low-pass split, (N, K): its own, or for lp:auto each ring; else none."""
    if parse_cutoff(method.mean) is None:
        none = weights.new_zeros(len(weights), 0)
        return none, none
    if summary.spectrum is None:
        raise ValueError("summary: a low-pass split needs the latents' spectrum.")
    member = summary.spectrum.bands(method.mean)
    return summary.spectrum.onto(weights, method.mean), summary.spectrum.power @ member.T


def degrees(cosines: Tensor) -> tuple[float, ...]:
    """The angles of these cosines."""
    return tuple(torch.rad2deg(cosines.clamp(-1, 1).acos()).tolist())


def known(values: Tensor, is_known: Tensor) -> tuple[float | None, ...]:
    """The values, and None for those that are not known."""
    pairs = zip(values.tolist(), is_known.tolist(), strict=True)
    return tuple(value if known else None for value, known in pairs)
