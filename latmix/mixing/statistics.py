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

from latmix.mixing.formula import coherence, norm_target
from latmix.mixing.grid import Method, parse_cutoff, parse_method
from latmix.mixing.health import LOW_CYCLES, latents_health
from latmix.mixing.summary import Gram, Summary, split
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
        amplified_channel_mean: alpha times that: what it would be with nothing split off.
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

    @property
    def largest_offset(self) -> float:
        """How far amplification moved the channel that it moved most."""
        pairs = zip(self.channel_mean, self.input_channel_mean, strict=True)
        return max(abs(mean - own) for mean, own in pairs)

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
    weights = weights.to(gram.centred)
    method = _settled(parse_method(method), gram.summary, weights)
    found = _statistics(gram.summary, weights, gram.channel_variance(weights), method)
    if gram.summary.spectrum is None:
        return found
    return replace(found, low_share=_low_share(found, gram.summary, weights, method))


def sum_statistics(
    total: Tensor, summary: Summary, weights: Tensor, method: str | Method
) -> Statistics:
    """The same from the plain weighted sum (C, P) of the latents, for an N without a Gram."""
    variance = total.to(weights).var(dim=1, correction=0)
    return _statistics(summary, weights, variance, _settled(parse_method(method), summary, weights))


def _settled(method: Method, summary: Summary, weights: Tensor) -> Method:
    """The method with the cut-off that "lp:auto" finds here, so that it is found once."""
    cutoffs = summary.cutoffs(method.mean, weights[None])
    return method if cutoffs is None else Method(method.norm, f"lp:{float(cutoffs[0]):g}")


def _statistics(summary: Summary, weights: Tensor, variance: Tensor, method: Method) -> Statistics:
    """From the weighted sum's channel variances (C,); its channel means follow from the summary."""
    mean = weights @ summary.channel_mean.to(weights)
    common = split(mean, method.mean)
    slow = summary.slow_variance(method.mean, weights)
    rest = (variance - slow).clamp_min(0.0)
    residual = (((mean - common).square() + rest).sum() * summary.places).sqrt()
    mean_norm = summary.mean_residual_norm(method.mean, weights[None])[0]
    beta = weights.square().sum()
    target = norm_target(method.norm, residual, mean_norm, beta, summary.radius)
    tiny = torch.finfo(weights.dtype).tiny
    alpha = torch.where(residual > 0, target / residual.clamp_min(tiny), torch.ones_like(target))
    channel_mean = common + alpha * (mean - common)
    channel_std = (slow + alpha.square() * rest).sqrt()
    norm = ((channel_mean.square() + channel_std.square()).sum() * summary.places).sqrt()
    input_norm = weights @ summary.squared_norm.to(weights).sqrt()
    offsets = (channel_mean - mean).tolist()
    judgement = judge(method, offsets, float(norm / input_norm.clamp_min(tiny)))
    bias = root_mean_square((mean - common).tolist())
    return Statistics(
        norm=float(norm),
        norm_ratio=float(norm) / summary.radius,
        amplification=float(alpha),
        predicted_amplification=float(target) / summary.radius * law(bias, float(1 / beta)),
        coherence=float(coherence(residual, mean_norm)),
        effective_count=float(1 / beta),
        channel_mean=tuple(channel_mean.tolist()),
        channel_std=tuple(channel_std.tolist()),
        input_channel_mean=tuple(mean.tolist()),
        amplified_channel_mean=tuple((alpha * mean).tolist()),
        low_share=None,
        excess_kurtosis=None,
        verdict=judgement.verdict,
        warning=judgement.warning,
    )


def _low_share(found: Statistics, summary: Summary, weights: Tensor, method: Method) -> float:
    """From the energy of sum w z below LOW_CYCLES, what the split takes off being not scaled."""
    spectrum = summary.spectrum
    if spectrum is None:
        raise ValueError("summary: the share of low frequencies needs the latents' spectrum.")
    cutoff = parse_cutoff(method.mean)
    cut = min(cutoff, LOW_CYCLES) if isinstance(cutoff, float) else 0.0
    low = float(spectrum.variance(weights, weights.new_tensor(LOW_CYCLES)).sum())
    kept = float(spectrum.variance(weights, weights.new_tensor(cut)).sum()) if cut else 0.0
    energy = math.fsum(std * std for std in found.channel_std)
    return (kept + found.amplification**2 * (low - kept)) / energy if energy > 0 else 0.0
