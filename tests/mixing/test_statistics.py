"""Statistics against the mixture itself: what is said before must be true of the latents after."""

from __future__ import annotations

import math
from array import array
from dataclasses import replace

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import latmix
from latmix.mixing.blocks import blocks, weighted_sums
from latmix.mixing.formula import scale_sums, weight_table
from latmix.mixing.gram import Gram, StreamedProducts
from latmix.mixing.grid import methods, parse_method
from latmix.mixing.live import LiveStatistics
from latmix.mixing.splits import LARGEST_CUTOFF
from latmix.mixing.statistics import (
    Statistics,
    mixture_statistics,
    scaled_statistics,
    sum_statistics,
)
from latmix.mixing.summary import Summary
from latmix.mixing.verdict import law
from latmix.mixing.weighting import weigh


def biased(count: int, bias: float, seed: int = 0, side: int = 16) -> torch.Tensor:
    """Noise with one common offset in its first channel."""
    torch.manual_seed(seed)
    latents = torch.randn(count, 4, side, side, dtype=torch.float64)
    latents[:, 0] += bias
    return latents


def table(weights: list[float]) -> torch.Tensor:
    return weight_table(weights, len(weights), torch.device("cpu"))


@pytest.mark.parametrize("method", methods())
def test_every_number_is_true_of_the_mixture(method: str) -> None:
    latents, weights = biased(6, 0.3), [1.0, 2.0, 3.0, 0.0, 0.5, 1.5]
    mixed = latmix.mix(latents, weights, method)
    found = mixture_statistics(Gram.of(latents, LARGEST_CUTOFF), table(weights)[0], method)
    assert math.isclose(found.norm, float(mixed.norm()), rel_tol=1e-9)
    assert math.isclose(found.norm_ratio, float(mixed.norm()) / 32, rel_tol=1e-9)
    torch.testing.assert_close(torch.tensor(found.channel_mean).double(), mixed.mean((1, 2)))
    deviations = mixed.flatten(1).std(dim=1, correction=0)
    torch.testing.assert_close(torch.tensor(found.channel_std).double(), deviations)
    w = table(weights)[0]
    expected = w @ latents.mean((2, 3))
    torch.testing.assert_close(torch.tensor(found.input_channel_mean).double(), expected)
    assert math.isclose(found.effective_count, float(1 / w.square().sum()), rel_tol=1e-12)


@pytest.mark.parametrize("method", methods())
def test_gram_and_weighted_sum_agree(method: str) -> None:
    latents = biased(9, 0.5)
    weights = table(list(range(1, 10)))
    summary = Summary.of(latents, LARGEST_CUTOFF)
    products = StreamedProducts(lambda: blocks(latents), summary)
    weighting = weigh(parse_method(method), summary, weights, products).checked()
    total = weighted_sums(blocks(latents), summary.shape, weighting.coefficients)[0]
    from_sum = sum_statistics(total, weighting)
    from_gram = mixture_statistics(Gram.of(latents, LARGEST_CUTOFF), weights[0], method)
    close(from_sum, from_gram)


def close(one: Statistics, other: Statistics) -> None:
    for name, value in one.as_json().items():
        expected = other.as_json()[name]
        if name == "low_share":
            assert None in (value, expected) or value == pytest.approx(expected, abs=1e-9)
        elif name in ("warning", "verdict", "excess_kurtosis"):
            assert value == expected
        else:
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-9), name


@pytest.mark.parametrize("count", [4, 16, 64, 256])
@pytest.mark.parametrize("bias", [0.0, 0.05, 0.2])
def test_amplification_follows_the_law_of_the_paper(count: int, bias: float) -> None:
    """alpha = R/|m| = 1/sqrt(b^2 + 1/N) for noise with a common bias b (L&K section 4.2)."""
    latents = biased(count, 0.0, seed=count, side=32) + bias
    found = mixture_statistics(Gram.of(latents), table([1.0] * count)[0], "fix/0")
    assert found.amplification == pytest.approx(1 / math.sqrt(bias**2 + 1 / count), rel=0.05)
    offset = sum(found.channel_mean) / 4
    assert offset == pytest.approx(found.amplification * bias, abs=0.06)


@pytest.mark.parametrize("count", [1, 5, 40])
def test_the_predicted_amplification_is_the_law_of_the_paper(count: int) -> None:
    """1/sqrt(b^2 + 1/N_eff), and the actual one is near it where its assumptions hold."""
    latents, weights = biased(count, 0.2, side=32), [1.0 + index for index in range(count)]
    found = mixture_statistics(Gram.of(latents), table(weights)[0], "fix/0")
    bias = (table(weights)[0] @ latents.mean((2, 3))).square().mean()
    expected = 1 / math.sqrt(float(bias) + 1 / found.effective_count)
    assert found.predicted_amplification == pytest.approx(expected, rel=1e-12)
    assert found.amplification == pytest.approx(expected, rel=0.03)
    assert law(found.input_channel_mean, found.effective_count) == pytest.approx(expected)
    remedy = mixture_statistics(Gram.of(latents), table(weights)[0], "fix/chm")
    assert remedy.predicted_amplification == pytest.approx(math.sqrt(found.effective_count))


@pytest.mark.parametrize("method", methods())
def test_what_the_bias_would_be_is_the_inputs_own_amplified(method: str) -> None:
    found = mixture_statistics(Gram.of(biased(6, 0.3), LARGEST_CUTOFF), table([1.0] * 6)[0], method)
    expected = [found.amplification * mean for mean in found.input_channel_mean]
    assert found.amplified_channel_mean == pytest.approx(expected)
    if method.endswith("/0"):
        # On the sphere the direction is that of the weighted mean but nearly.
        near = 5e-3 if parse_method(method).norm.turns else 1e-9
        assert found.channel_mean == pytest.approx(expected, abs=near)


@pytest.mark.parametrize("method", [*methods(), "nin/lp:1", "fix/lp:1.5", "nin/lp:6"])
def test_the_low_share_from_the_gram_matrix_is_that_of_the_mixture(method: str) -> None:
    torch.manual_seed(1)
    slow = torch.randn(1, 4, 1, 1) * torch.cos(torch.arange(16) * 2 * math.pi / 16)
    latents, weights = biased(5, 0.1) + 0.7 * slow, [1.0, 2.0, 3.0, 0.0, 0.5]
    gram = Gram.of(latents, LARGEST_CUTOFF)
    found = mixture_statistics(gram, table(weights)[0], method)
    mixed = latmix.mix(latents, weights, method)
    assert found.low_share == pytest.approx(low_share(mixed), rel=1e-9)
    assert found.excess_kurtosis is None
    weighting = weigh(parse_method(method), gram.summary, table(weights), gram).checked()
    sums = weighted_sums(blocks(latents), gram.summary.shape, weighting.coefficients)
    scaling = scale_sums(sums, weighting, 0.0, None)
    [formed] = scaled_statistics(sums.reshape(1, *mixed.shape), weighting, scaling)
    close(replace(formed, excess_kurtosis=None), found)
    assert formed.low_share == pytest.approx(found.low_share, rel=1e-9)
    rest = (mixed - mixed.mean((1, 2), keepdim=True)).flatten()
    kurtosis = float(rest.pow(4).mean() / rest.pow(2).mean() ** 2 - 3)
    assert formed.excess_kurtosis == pytest.approx(kurtosis, abs=1e-9)


def low_share(latent: torch.Tensor) -> float:
    """By the whole plane of frequencies."""
    power = torch.fft.fft2(latent).abs().square().sum(dim=0)
    steps = torch.fft.fftfreq(latent.shape[-1]).double() * latent.shape[-1]
    radius = (steps[:, None].square() + steps.square()).sqrt()
    power = torch.where(radius > 0, power, 0.0)
    return float(power[radius <= 2].sum() / power.sum())


def test_amplified_bias_is_warned_of_and_the_remedy_is_not() -> None:
    gram, weights = Gram.of(biased(64, 0.1)), table([1.0] * 64)[0]
    assert "degenerate" in (mixture_statistics(gram, weights, "fix/0").warning or "")
    assert mixture_statistics(gram, weights, "fix/chm").warning is None
    assert "washed out" in (mixture_statistics(gram, weights, "lin/0").warning or "")
    assert mixture_statistics(Gram.of(biased(8, 0.0)), table([1.0] * 8)[0], "fix/0").warning is None


def test_coherence_is_one_alone_and_falls_as_one_over_root_n() -> None:
    alone = mixture_statistics(Gram.of(biased(1, 0.0)), table([1.0])[0], "nin/0")
    many = mixture_statistics(Gram.of(biased(100, 0.0)), table([1.0] * 100)[0], "nin/0")
    assert alone.coherence == pytest.approx(1.0)
    assert many.coherence == pytest.approx(0.1, rel=0.1)


RUNNING = ["nin/chm", "fix/0", "coh/m", "nin/lp:2", "clol/chm", "adain/chm", "slerp/chm"]

edits = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 11), st.floats(0, 1)),
        st.tuples(st.just("equal"), st.integers(0, 11), st.floats(0, 1)),
        st.tuples(st.just("solo"), st.integers(0, 11), st.floats(0, 1)),
        st.tuples(st.just("random"), st.integers(0, 11), st.floats(0, 1)),
        st.tuples(st.just("method"), st.integers(0, 11), st.floats(0, 1)),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=30)
@example([("set", 0, 0.9999999999999999), ("set", 0, 0.0)], "nin/chm")
@example([("solo", 0, 1.0), ("solo", 1, 1.0)], "nin/chm")
@given(edits, st.sampled_from(RUNNING))
def test_a_running_sum_follows_any_edits(steps: list[tuple[str, int, float]], method: str) -> None:
    latents = biased(12, 0.3, side=6)

    def read(indices: object) -> object:
        return blocks(latents[list(indices)])  # type: ignore[call-overload]

    summary = Summary.of(latents, LARGEST_CUTOFF)
    running = LiveStatistics(summary, read)  # type: ignore[arg-type]
    exact = LiveStatistics(summary, read, Gram.of(latents, LARGEST_CUTOFF))  # type: ignore[arg-type]
    mixture = latmix.Mixture.equal(str(index) for index in range(12))
    for kind, index, weight in steps:
        if kind == "set":
            mixture = mixture.set(str(index), weight)
        elif kind == "random":
            mixture = mixture.randomise(index)
        elif kind == "solo":
            mixture = mixture.solo(str(index))
        elif kind == "method":
            method = RUNNING[index % len(RUNNING)]
        else:
            mixture = mixture.equalise()
        one = running.statistics(array("d", mixture.weights), method)
        close(one, exact.statistics(mixture.weights, method))
