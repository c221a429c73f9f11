"""Angles and mixtures without one picture, against mixing anew from the latents themselves."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import latmix
from latmix.mixing.blocks import blocks
from latmix.mixing.formula import weight_table
from latmix.mixing.gram import Gram
from latmix.mixing.grid import methods
from latmix.mixing.influence import Inputs
from latmix.mixing.live import LiveStatistics
from latmix.mixing.splits import LARGEST_CUTOFF
from latmix.mixing.statistics import mixture_statistics
from latmix.mixing.summary import Summary
from latmix.report import picture_sentence

METHODS = [*methods(), "nin/lp:1", "coh/lp:3"]
WEIGHTS = [1.0, 2.0, 3.0, 0.0, 0.5, 1.5]


def related(count: int, seed: int = 0) -> torch.Tensor:
    """Noise with a bias, a common wave, and two latents that are nearly the same."""
    torch.manual_seed(seed)
    latents = torch.randn(count, 3, 18, 18, dtype=torch.float64)
    latents[:, 0] += 0.3
    latents += torch.cos(torch.arange(18) * 2 * math.pi / 18)
    if count > 1:
        latents[1] = latents[0] + 0.1 * latents[1]
    return latents


def live(latents: torch.Tensor, keeps_gram: bool) -> LiveStatistics:
    def read(indices: object) -> object:
        return blocks(latents[list(indices)])  # type: ignore[call-overload]

    summary = Summary.of(latents, LARGEST_CUTOFF)
    gram = Gram.of(latents, LARGEST_CUTOFF) if keeps_gram else None
    return LiveStatistics(summary, read, gram)  # type: ignore[arg-type]


def check(found: Inputs, latents: torch.Tensor, weights: list[float], method: str) -> None:
    """Every figure, by forming the mixtures."""
    mixed = latmix.mix(latents, weights, method).flatten()
    for index, latent in enumerate(latents.flatten(1)):
        cosine = float(latent @ mixed / latent.norm() / mixed.norm())
        angle = math.degrees(math.acos(min(1.0, max(-1.0, cosine))))
        assert found.angle[index] == pytest.approx(angle, abs=1e-4)
        if not found.is_known:
            continue
        rest = [0.0 if n == index else weight for n, weight in enumerate(weights)]
        if not any(rest):
            assert found.influence[index] is None
            continue
        other = latmix.mix(latents, rest, method)
        change = float((mixed - other.flatten()).norm() / mixed.norm())
        assert found.influence[index] == pytest.approx(change, rel=1e-6, abs=1e-6)
        row = weight_table(rest, len(rest), torch.device("cpu"))[0]
        without = mixture_statistics(Gram.of(latents, LARGEST_CUTOFF), row, method)
        assert found.amplification[index] == pytest.approx(without.amplification, rel=1e-6)
        assert found.norm_ratio[index] == pytest.approx(without.norm_ratio, rel=1e-6)
        largest = float(other.mean((1, 2)).abs().max())
        assert found.largest_mean[index] == pytest.approx(largest, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("keeps_gram", [True, False])
@pytest.mark.parametrize("method", METHODS)
def test_every_figure_is_that_of_mixing_without_the_picture(method: str, keeps_gram: bool) -> None:
    latents = related(6)
    found = live(latents, keeps_gram).inputs(WEIGHTS, method)
    assert found.is_known == (keeps_gram or not method.startswith(("slerp", "nao")))
    check(found, latents, WEIGHTS, method)


@pytest.mark.parametrize(
    "method", ["nin/lp:2", "fix/lp:auto", "clol/lp:auto", "slerp/lp:auto", "coh/chm"]
)
def test_more_latents_than_have_their_products_kept_have_the_same_figures(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    latents = related(6)

    def figures() -> tuple[object, object]:
        quick = live(latents, True)
        return quick.inputs(WEIGHTS, method), quick.statistics(WEIGHTS, method)

    kept = figures()
    monkeypatch.setattr("latmix.mixing.low_pass.KEPT", 0)
    made = figures()
    for one, other in zip(kept, made, strict=True):
        for name, values in vars(one).items():
            if name not in ("verdict", "warning", "excess_kurtosis"):
                assert values == pytest.approx(vars(other)[name], rel=1e-9, abs=1e-6), name


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from([0.0, 0.1, 1.0, 3.0]), min_size=1, max_size=5).filter(any),
    st.sampled_from(METHODS),
    st.integers(0, 100),
)
def test_any_weights_give_the_figures_of_the_latents(
    weights: list[float], method: str, seed: int
) -> None:
    latents = related(len(weights), seed)
    check(live(latents, True).inputs(weights, method), latents, weights, method)


def test_the_picture_that_is_unlike_the_others_drives_the_mixture() -> None:
    torch.manual_seed(3)
    common = torch.randn(1, 3, 18, 18, dtype=torch.float64)
    latents = common + 0.2 * torch.randn(5, 3, 18, 18, dtype=torch.float64)
    latents[3] = torch.randn(3, 18, 18)
    found = live(latents, True).inputs([1.0] * 5, "nin/chm")
    assert found.strongest == 3
    assert found.nearest != 3
    assert found.angle[3] == max(found.angle)


def test_a_picture_without_weight_has_no_influence_and_one_alone_cannot_be_left_out() -> None:
    found = live(related(3), True).inputs([0.0, 1.0, 0.0], "nin/chm")
    assert (found.influence[0], found.influence[1], found.influence[2]) == (0.0, None, 0.0)
    assert (found.strongest, found.nearest) == (1, 1)
    assert found.amplification[1] is found.largest_mean[1] is found.norm_ratio[1] is None
    assert found.amplification[0] == pytest.approx(1.0)


def test_latents_that_would_cancel_have_no_figures_without_the_one_that_keeps_them_apart() -> None:
    torch.manual_seed(4)
    one, other = torch.randn(2, 3, 18, 18, dtype=torch.float64)
    found = live(torch.stack([one, -one, other]), True).inputs([1.0, 1.0, 1.0], "nin/0")
    assert found.influence[2] is None
    assert found.influence[0] is not None


@pytest.mark.parametrize("method", ["clol/0", "slerp/0", "nao/chm"])
def test_where_leaving_one_out_cancels_the_others_keep_their_figures(method: str) -> None:
    torch.manual_seed(5)
    one, other = torch.randn(2, 3, 18, 18, dtype=torch.float64)
    latents = torch.stack([one, -one, other])
    found = live(latents, True).inputs([1.0, 1.0, 1.0], method)
    assert found.influence[2] is found.amplification[2] is None
    for index, rest in enumerate(([0.0, 1.0, 1.0], [1.0, 0.0, 1.0])):
        mixed = latmix.mix(latents, method=method)
        change = (mixed - latmix.mix(latents, rest, method)).norm() / mixed.norm()
        assert found.influence[index] == pytest.approx(float(change), rel=1e-6)


def test_what_drives_a_mixture_on_the_sphere_is_not_said_without_a_gram_matrix() -> None:
    found = live(related(4), False).inputs([1.0] * 4, "slerp/chm")
    assert not found.is_known
    assert found.strongest is None
    assert "drives" not in picture_sentence(["a", "b", "c", "d"], found)


@given(st.permutations(range(5)))
@settings(deadline=None, max_examples=10)
def test_the_order_of_the_pictures_changes_nothing(order: list[int]) -> None:
    latents, weights = related(5), [1.0, 2.0, 0.0, 4.0, 0.5]
    straight = live(latents, True).inputs(weights, "coh/m")
    turned = live(latents[order], True).inputs([weights[n] for n in order], "coh/m")
    assert list(turned.influence) == pytest.approx([straight.influence[n] for n in order])
    assert list(turned.angle) == pytest.approx([straight.angle[n] for n in order])
