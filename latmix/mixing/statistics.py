"""The numbers of a mixture before a picture is spent on it, and the verdict they carry.

From a `Gram` every weighting's statistics cost O(C N^2) and form no latent; without one (N too
large to keep it) they cost one weighted sum.

What is had from what: |z'|, its channels' means and deviations, the amplification and the coherence
are exact from sufficient statistics and the Gram matrix or the sum. So is the share of low
frequencies, where a Gram matrix and the latents' spectrum are kept. The excess kurtosis takes the
mixture itself: it is known where that is formed (`with_shape`), and None in live statistics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor

from latmix.mixing.direction import Direction, GramProducts, direct
from latmix.mixing.formula import coherence, ratio, target_norms
from latmix.mixing.gram import Gram
from latmix.mixing.grid import Method, parse_method
from latmix.mixing.health import LOW_CYCLES, latents_health
from latmix.mixing.low_pass import Spectrum
from latmix.mixing.summary import Averages, Summary
from latmix.mixing.verdict import Verdict, judge, law


@dataclass(frozen=True)
class Statistics:
    """The statistics of one mixture. Numbers without a unit are in the latents' own.

    Attributes:
        norm: |z'|.
        norm_ratio: |z'| / sqrt(L); 1 for a typical noise sample.
        amplification: alpha = rho / |m|, what the normalised part was multiplied by.
        predicted_amplification: rho / (R sqrt(b^2 + 1/N_eff)), b the root mean square of what the
            split leaves of `input_channel_mean`: alpha for latents that share nothing but that bias
            and are N(0, I) beside it (`verdict.law`). Where they share more, alpha is smaller.
        coherence: kappa = |m| / sum w r.
        effective_count: N_eff = 1 / sum w^2.
        channel_mean: mean of each channel of z'.
        channel_std: standard deviation over space of each channel of z'.
        input_channel_mean: weighted mean of the inputs' channel means: the unbiased mixture's.
        amplified_channel_mean: alpha times that: what it would be with nothing split off (of slerp
            and nao, whose direction is not the weighted mean's, nearly).
        low_share: share of the energy, without the channel means, that is at frequencies of up to
            LOW_CYCLES; None where it is not known.
        excess_kurtosis: of the deviations from the channel means; None where it is not known.
        verdict: what will become of the picture.
        warning: why, or None where nothing is wrong.
    """

    norm: float
    norm_ratio: float
    amplification: float
    predicted_amplification: float
    coherence: float
    effective_count: float
    channel_mean: tuple[float, ...]
    channel_std: tuple[float, ...]
    input_channel_mean: tuple[float, ...]
    amplified_channel_mean: tuple[float, ...]
    low_share: float | None
    excess_kurtosis: float | None
    verdict: Verdict
    warning: str | None

    @property
    def input_bias(self) -> float:
        """b: root mean square of the inputs' channel means, of which nothing is split off."""
        return root_mean_square(self.input_channel_mean)

    def with_shape(self, mixture: Tensor) -> Statistics:
        """The same with the figures that take the mixture (C, H, W) itself."""
        [health] = latents_health(mixture[None])
        return replace(self, low_share=health.low_share, excess_kurtosis=health.excess_kurtosis)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def root_mean_square(values: Sequence[float]) -> float:
    return math.sqrt(math.fsum(value * value for value in values) / len(values))


def mixture_statistics(gram: Gram, weights: Tensor, method: str | Method) -> Statistics:
    """The statistics of the mixture of a Gram's latents with weights (N,) that sum to 1."""
    method, weights = parse_method(method), weights.to(gram.centred)
    direction = direct(method, gram.summary, weights[None], GramProducts(gram))
    coefficients = direction.coefficients[0]
    variance = gram.channel_variance(coefficients)
    slow, summary = None, gram.summary
    if summary.spectrum is not None:
        slow = summary.spectrum.variances(coefficients, _cuts(direction, weights))
    averages = summary.averages(direction.split, weights[None])
    return _statistics(summary, weights, variance, slow, method, direction, averages)


def sum_statistics(
    total: Tensor,
    summary: Summary,
    weights: Tensor,
    method: str | Method,
    direction: Direction | None = None,
    averages: Averages | None = None,
) -> Statistics:
    """The same from the plain sum of c_n z_n, (C, P), for an N without a Gram.

    Args:
        direction: of this one mixture; None where its coefficients c are the weights (N,).
        averages: of this one mixture's inputs, for its split; None where they are not known yet.
    """
    method, total = parse_method(method), total.to(weights)
    direction = direction or direct(method, summary, weights[None], None)
    slow = None
    if summary.spectrum is not None:
        cuts = _cuts(direction, weights)
        whole = total.reshape(1, -1, *summary.spectrum.shape)
        slow = Spectrum.of(whole, float(cuts.max())).variances(weights.new_ones(1), cuts)
    if averages is None:
        averages = summary.averages(direction.split, weights[None])
    variance = total.var(dim=1, correction=0)
    return _statistics(summary, weights, variance, slow, method, direction, averages)


def _statistics(
    summary: Summary,
    weights: Tensor,
    variance: Tensor,
    slow: Tensor | None,
    method: Method,
    direction: Direction,
    averages: Averages,
) -> Statistics:
    """From the channel variances of sum c z, (C,); its channel means follow from the summary.

    Args:
        slow: of these variances, what is within the `_cuts`, (3, C); None where it is not known.
    """
    mean = turned = averages.channel_mean[0]
    slow = weights.new_zeros(3, len(mean)) if slow is None else slow
    kept = slow
    if direction.residual is not None:
        turned = direction.coefficients[0] @ summary.channel_mean.to(weights)
        if summary.spectrum is not None:
            kept = summary.spectrum.variances(weights, _cuts(direction, weights))
    split = direction.split
    common, offset = split.constant(mean), turned - split.constant(turned)
    rest = (variance - slow[0]).clamp_min(0.0)
    sizes = ((offset.square() + rest) * summary.places).sqrt()
    size, target = target_norms(sizes[None], summary, weights[None], direction, method, averages)
    scale = ratio(target, size)[0]
    residual = sizes.norm() if direction.residual is None else direction.residual[0]
    alpha = ratio(target.norm(), residual)
    mean_norm, input_norm, beta = averages.residual[0], averages.norm[0], averages.beta[0]
    tiny = torch.finfo(weights.dtype).tiny
    channel_mean = common + scale * offset
    channel_std = (kept[0] + scale.square() * rest).sqrt()
    norm = ((channel_mean.square() + channel_std.square()).sum() * summary.places).sqrt()
    offsets = (channel_mean - mean).tolist()
    judgement = judge(method, offsets, float(norm / input_norm.clamp_min(tiny)))
    bias = root_mean_square((mean - common).tolist())
    return Statistics(
        norm=float(norm),
        norm_ratio=float(norm) / summary.radius,
        amplification=float(alpha),
        predicted_amplification=float(target.norm()) / summary.radius * law(bias, float(1 / beta)),
        coherence=float(coherence(residual, mean_norm)),
        effective_count=float(1 / beta),
        channel_mean=tuple(channel_mean.tolist()),
        channel_std=tuple(channel_std.tolist()),
        input_channel_mean=tuple(mean.tolist()),
        amplified_channel_mean=tuple((alpha * mean).tolist()),
        low_share=None if summary.spectrum is None else _low_share(slow, kept, scale, channel_std),
        excess_kurtosis=None,
        verdict=judgement.verdict,
        warning=judgement.warning,
    )


def _cuts(direction: Direction, like: Tensor) -> Tensor:
    """The split's cut-off, LOW_CYCLES, and the lower of both, (3,)."""
    cutoffs = direction.split.cutoffs
    cut = 0.0 if cutoffs is None else float(cutoffs[0])
    return like.new_tensor([cut, LOW_CYCLES, min(cut, LOW_CYCLES)])


def _low_share(slow: Tensor, kept: Tensor, scale: Tensor, channel_std: Tensor) -> float:
    """From the variances within the `_cuts` of sum c z and, `kept`, of sum w z, whose slow part is
    what the split takes off."""
    energy = float(channel_std.square().sum())
    low = kept[2] + scale.square() * (slow[1] - slow[2])
    return float(low.sum()) / energy if energy else 0.0
