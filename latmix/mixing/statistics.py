"""The numbers of a mixture before a picture is spent on it, and the warning they carry.

From a `Gram` every weighting's statistics cost O(C N^2) and form no latent; without one (N too
large to keep it) they cost one weighted sum.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from latmix.mixing.direction import Direction, GramProducts, direct
from latmix.mixing.formula import coherence, ratio, target_norms
from latmix.mixing.grid import Method, parse_method
from latmix.mixing.summary import Gram, Summary, split

OFFSET_VISIBLE = 0.2
OFFSET_DAMAGING = 0.4
"""Offsets of a channel mean from which L&K figure 6 shows visible and severe damage."""

NORM_TOO_SMALL = 0.8
"""Share of the inputs' own norm below which a mixture looks washed out (L&K figure 1, LIN)."""


@dataclass(frozen=True)
class Statistics:
    """The statistics of one mixture. Numbers without a unit are in the latents' own.

    Attributes:
        norm: |z'|.
        norm_ratio: |z'| / sqrt(L); 1 for a typical noise sample.
        amplification: alpha = rho / |m|, what the normalised part was multiplied by.
        coherence: kappa = |m| / sum w r.
        effective_count: N_eff = 1 / sum w^2.
        channel_mean: mean of each channel of z'.
        channel_std: standard deviation over space of each channel of z'.
        input_channel_mean: weighted mean of the inputs' channel means: the unbiased mixture's.
        warning: a sentence, or None where nothing is wrong.
    """

    norm: float
    norm_ratio: float
    amplification: float
    coherence: float
    effective_count: float
    channel_mean: tuple[float, ...]
    channel_std: tuple[float, ...]
    input_channel_mean: tuple[float, ...]
    warning: str | None

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def mixture_statistics(gram: Gram, weights: Tensor, method: str | Method) -> Statistics:
    """The statistics of the mixture of a Gram's latents with weights (N,) that sum to 1."""
    method, weights = parse_method(method), weights.to(gram.centred)
    direction = direct(method, gram.summary, weights[None], GramProducts(gram))
    variance = gram.channel_variance(direction.coefficients[0])
    return _statistics(gram.summary, weights, variance, method, direction)


def sum_statistics(
    total: Tensor,
    summary: Summary,
    weights: Tensor,
    method: str | Method,
    direction: Direction | None = None,
) -> Statistics:
    """The same from the plain sum of c_n z_n, (C, P), for an N without a Gram.

    Args:
        direction: of this one mixture; None where its coefficients c are the weights (N,).
    """
    variance = total.to(weights).var(dim=1, correction=0)
    direction = direction or Direction(weights[None])
    return _statistics(summary, weights, variance, parse_method(method), direction)


def _statistics(
    summary: Summary, weights: Tensor, variance: Tensor, method: Method, direction: Direction
) -> Statistics:
    """From the channel variances (C,) of sum c z; its channel means follow from the summary."""
    coefficients = direction.coefficients[0]
    mean = weights @ summary.channel_mean.to(weights)
    turned = coefficients @ summary.channel_mean.to(weights)
    common, offset = split(mean, method.mean), turned - split(turned, method.mean)
    slow = summary.slow_variance(method.mean, weights)
    rest = variance - summary.slow_variance(method.mean, weights, coefficients)
    rest = rest.clamp_min(0.0)
    sizes = ((offset.square() + rest) * summary.places).sqrt()
    size, target = target_norms(sizes[None], summary, weights[None], direction, method)
    scale = ratio(target, size)[0]
    residual = sizes.norm() if direction.residual is None else direction.residual[0]
    alpha = ratio(target.norm(), residual)
    mean_norm = summary.mean_residual_norm(method.mean, weights[None])[0]
    beta = weights.square().sum()
    tiny = torch.finfo(weights.dtype).tiny
    channel_mean = common + scale * offset
    channel_std = (slow + scale.square() * rest).sqrt()
    norm = ((channel_mean.square() + channel_std.square()).sum() * summary.places).sqrt()
    input_norm = weights @ summary.squared_norm.to(weights).sqrt()
    return Statistics(
        norm=float(norm),
        norm_ratio=float(norm) / summary.radius,
        amplification=float(alpha),
        coherence=float(coherence(residual, mean_norm)),
        effective_count=float(1 / beta),
        channel_mean=tuple(channel_mean.tolist()),
        channel_std=tuple(channel_std.tolist()),
        input_channel_mean=tuple(mean.tolist()),
        warning=_warning(method, channel_mean, mean, float(norm / input_norm.clamp_min(tiny))),
    )


def _warning(
    method: Method, channel_mean: Tensor, unbiased: Tensor, norm_share: float
) -> str | None:
    """What will show in the picture, in words; the thresholds are L&K's (figures 1 and 6)."""
    offsets = (channel_mean - unbiased).abs()
    worst = int(offsets.argmax())
    offset = float(offsets[worst])
    if offset >= OFFSET_VISIBLE:
        how = "will degenerate" if offset >= OFFSET_DAMAGING else "is drifting"
        return (
            f"The picture {how}: amplified bias moves channel {worst} by {offset:.2f} "
            f"(damage shows from {OFFSET_VISIBLE:g}). Use a */chm method."
        )
    if norm_share < NORM_TOO_SMALL:
        unscaled = method.norm == "lin"
        why = (
            "Use nin/chm or fix/chm." if unscaled else "What is split off cancels at these weights."
        )
        share = f"the norm is {norm_share:.2f} of the inputs' own"
        return f"The picture will be washed out: {share}. {why}"
    return None
