"""The numbers of a mixture before a picture is spent on it, and the verdict they carry.

From a `Gram` every weighting's statistics cost O(C N^2) and form no latent; without one (N too
large to keep it) they cost one weighted sum.

What is had from what: |z'|, its channels' means and deviations, the amplification and the coherence
are exact from sufficient statistics and the Gram matrix or the sum. So is the share of low
frequencies, where a Gram matrix and the latents' spectrum are kept. The excess kurtosis takes the
mixture itself: it is known where that is formed (`scaled_statistics`), and None in live ones.

A new statistic is a field of `Statistics`, found here: JSON holds all of them, and tables those
that are `shown`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

import torch
from torch import Tensor

from latmix.mixing.gram import Gram
from latmix.mixing.grid import Method, parse_method
from latmix.mixing.health import LOW_CYCLES, latents_health
from latmix.mixing.low_pass import Spectrum
from latmix.mixing.norms import coherence
from latmix.mixing.verdict import Verdict, judge, law
from latmix.mixing.weighting import Scaling, Weighting, weigh


def shown(label: str, form: str, meaning: str) -> dict[str, str]:
    """That tables show a statistic (`report.statistics_table`), where it is not None.

    Args:
        form: of its value.
        meaning: of all statistics: what it means, or should be.
    """
    return {"label": label, "form": form, "meaning": meaning}


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

    norm: float = field(metadata=shown("norm", ".2f", "{0.norm_ratio:.3f} of sqrt(L)"))
    norm_ratio: float
    amplification: float = field(
        metadata=shown("amplification", ".3f", "predicted {0.predicted_amplification:.3f}")
    )
    predicted_amplification: float
    coherence: float = field(metadata=shown("coherence", ".3f", "1: all alike"))
    effective_count: float = field(metadata=shown("effective N", ".2f", "pictures"))
    channel_mean: tuple[float, ...]
    channel_std: tuple[float, ...]
    input_channel_mean: tuple[float, ...]
    amplified_channel_mean: tuple[float, ...]
    low_share: float | None = field(metadata=shown("low frequencies", ".3f", "of the energy"))
    excess_kurtosis: float | None = field(metadata=shown("excess kurtosis", "+.3f", "0: normal"))
    verdict: Verdict
    warning: str | None

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def mixture_statistics(gram: Gram, weights: Tensor, method: str | Method) -> Statistics:
    """The statistics of the mixture of a Gram's latents with weights (N,) that sum to 1."""
    row = weights.to(gram.centred)[None]
    weighting = weigh(parse_method(method), gram.summary, row, gram).checked()
    coefficients, spectrum = weighting.coefficients[0], gram.summary.spectrum
    slow = None if spectrum is None else spectrum.variances(coefficients, _cuts(weighting))
    return _statistics(weighting, gram.channel_variance(coefficients), slow)


def sum_statistics(total: Tensor, weighting: Weighting) -> Statistics:
    """The same from the plain sum of c_n z_n, (C, P), of one weighting, for an N without a Gram."""
    total, slow = total.to(weighting.weights), None
    if (spectrum := weighting.summary.spectrum) is not None:
        cuts = _cuts(weighting)
        whole = Spectrum.of(total.reshape(1, -1, *spectrum.plane.shape), float(cuts.max()))
        slow = whole.variances(total.new_ones(1), cuts)
    return _statistics(weighting, total.var(dim=1, correction=0), slow)


def scaled_statistics(
    mixtures: Tensor, weighting: Weighting, scaling: Scaling
) -> tuple[Statistics, ...]:
    """The statistics of mixtures (B, C, H, W) that are formed, with those that take all of them."""
    found = []
    for row, health in enumerate(latents_health(mixtures)):
        one = slice(row, row + 1)
        mean = mixtures.new_tensor(health.channel_mean)
        std = mixtures[row].flatten(1).std(dim=1, correction=0)
        judged = _judged(weighting.rows(one), scaling.rows(one), mean, std, health.low_share)
        found.append(replace(judged, excess_kurtosis=health.excess_kurtosis))
    return tuple(found)


def _statistics(weighting: Weighting, variance: Tensor, slow: Tensor | None) -> Statistics:
    """Of one weighting, from the channel variances of sum c z, (C,); its channel means follow from
    the summary.

    Args:
        slow: of these variances, what is within the `_cuts`, (3, C); None where it is not known.
    """
    summary, split = weighting.summary, weighting.cut.split
    mean = turned = weighting.averages.channel_mean[0]
    kept = slow = variance.new_zeros(3, len(mean)) if slow is None else slow
    if weighting.residual is not None:
        turned = weighting.coefficients[0] @ summary.channel_mean.to(mean)
        if summary.spectrum is not None:
            kept = summary.spectrum.variances(weighting.weights[0], _cuts(weighting))
    offset = turned - split.constant(turned)
    rest = (variance - slow[0]).clamp_min(0.0)
    scaling = weighting.scaling(((offset.square() + rest) * summary.places).sqrt()[None])
    gain = scaling.gain[0]
    power = gain.square()
    channel_std = (kept[0] + power * rest).sqrt()
    low_share = None
    if summary.spectrum is not None:
        # The slow part of what the split takes off is as it was in sum w z.
        low = kept[2] + power * (slow[1] - slow[2])
        energy = float(channel_std.square().sum())
        low_share = float(low.sum()) / energy if energy else 0.0
    channel_mean = split.constant(mean) + gain * offset
    return _judged(weighting, scaling, channel_mean, channel_std, low_share)


def _judged(
    weighting: Weighting,
    scaling: Scaling,
    channel_mean: Tensor,
    channel_std: Tensor,
    low_share: float | None,
) -> Statistics:
    """Of one weighting, from the means and deviations of the mixture's channels, (C,)."""
    summary, averages = weighting.summary, weighting.averages
    mean, effective_count = averages.channel_mean[0], float(1 / weighting.beta[0])
    norm = ((channel_mean.square() + channel_std.square()).sum() * summary.places).sqrt()
    share = norm / averages.norm[0, 0].clamp_min(torch.finfo(norm.dtype).tiny)
    verdict, warning = judge(weighting.method, (channel_mean - mean).tolist(), float(share))
    bias = (mean - weighting.cut.split.constant(mean)).tolist()
    target_ratio = float(scaling.target[0].norm()) / summary.radius
    alpha = scaling.amplification[0]
    return Statistics(
        norm=float(norm),
        norm_ratio=float(norm) / summary.radius,
        amplification=float(alpha),
        predicted_amplification=target_ratio * law(bias, effective_count),
        coherence=float(coherence(scaling.residual[0], averages.residual[0, 0])),
        effective_count=effective_count,
        channel_mean=tuple(channel_mean.tolist()),
        channel_std=tuple(channel_std.tolist()),
        input_channel_mean=tuple(mean.tolist()),
        amplified_channel_mean=tuple((alpha * mean).tolist()),
        low_share=low_share,
        excess_kurtosis=None,
        verdict=verdict,
        warning=warning,
    )


def _cuts(weighting: Weighting) -> Tensor:
    """The split's cut-off, LOW_CYCLES, and the lower of both, (3,)."""
    cutoffs = weighting.cut.cutoffs
    cut = 0.0 if cutoffs is None else float(cutoffs[0])
    return weighting.weights.new_tensor([cut, LOW_CYCLES, min(cut, LOW_CYCLES)])
