"""Edits of a mixture: each gives a new one whose weights are not negative and sum to 1."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latmix.mixing.mixture import Mixture

KEYS = ("a", "b", "c", "d")


def sound(mixture: Mixture) -> None:
    assert math.isclose(math.fsum(mixture.weights), 1.0, rel_tol=1e-12)
    assert min(mixture.weights) >= 0
    assert len(set(mixture.keys)) == len(mixture.keys)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(-2, 2)), max_size=20))
def test_any_edits_keep_the_weights_on_the_simplex(edits: list[tuple[str, float]]) -> None:
    mixture = Mixture.equal(KEYS)
    for key, amount in edits:
        for edited in (
            mixture.nudge(key, amount),
            mixture.set(key, amount),
            mixture.solo(key),
            mixture.mute(key),
            mixture.drop(key),
            mixture.equalise(),
            mixture.randomise(int(amount * 100)),
        ):
            sound(edited)
        mixture = mixture.nudge(key, amount)


def test_setting_one_weight_keeps_the_others_in_proportion() -> None:
    mixture = Mixture(KEYS, (0.1, 0.2, 0.3, 0.4)).set("d", 0.7)
    assert mixture.weights == pytest.approx((0.05, 0.1, 0.15, 0.7))


def test_weights_that_sum_to_one_stay_as_they_are() -> None:
    weights = Mixture.random("abcdefgh", 3).weights
    assert Mixture(tuple("abcdefgh"), weights).weights == weights
    assert Mixture(("a", "b"), (0.1, 0.2)).weights == pytest.approx((1 / 3, 2 / 3))


def test_edits_of_a_mixture_find_its_pictures_also_after_some_left_or_came() -> None:
    mixture = Mixture(("a", "b", "c"), (0.5, 0.25, 0.25)).nudge("b", 0.25)
    assert mixture.as_dict() == pytest.approx({"a": 1 / 3, "b": 0.5, "c": 1 / 6})
    mixture = mixture.drop("a").take_in(["d"]).set("c", 0.0)
    assert mixture.keys == ("b", "c", "d") and mixture.weight("a") == mixture.weight("c") == 0
    assert math.isclose(mixture.weight("b") + mixture.weight("d"), 1)


def test_a_soloed_picture_shares_its_rest_equally() -> None:
    mixture = Mixture.equal(KEYS).solo("a").set("a", 0.4)
    assert mixture.weights == pytest.approx((0.4, 0.2, 0.2, 0.2))


def test_a_picture_alone_keeps_all_the_weight() -> None:
    alone = Mixture.equal("a")
    assert alone.mute("a") == alone.nudge("a", -0.5) == alone.drop("a") == alone


def test_a_nudged_stranger_joins() -> None:
    mixture = Mixture.equal(KEYS).nudge("e", 0.2)
    assert mixture.keys == (*KEYS, "e")
    assert mixture.weights == pytest.approx((0.2,) * 5)


def test_muting_the_only_weight_leaves_the_others_equal() -> None:
    mixture = Mixture.equal(KEYS).solo("a").mute("a")
    assert mixture.weights == pytest.approx((0.0, 1 / 3, 1 / 3, 1 / 3))


def test_random_weights_depend_on_the_seed_alone() -> None:
    assert Mixture.random(KEYS, 7) == Mixture.random(KEYS, 7) != Mixture.random(KEYS, 8)
    assert Mixture.random(KEYS, 7).weights == pytest.approx(
        (0.2325762626, 0.0971864782, 0.6255461577, 0.0446911015), abs=1e-9
    )


def test_effective_count_is_n_for_equal_weights_and_one_for_a_solo() -> None:
    assert Mixture.equal(KEYS).effective_count == pytest.approx(4)
    assert Mixture.equal(KEYS).solo("b").effective_count == pytest.approx(1)


@pytest.mark.parametrize("weights", [(1.0, -0.1), (0.0, 0.0), (math.nan, 1.0), (math.inf, 1.0), ()])
def test_weights_that_cannot_be_meant_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Mixture(tuple("ab")[: len(weights)], weights)


def test_as_many_weights_as_pictures() -> None:
    with pytest.raises(ValueError, match="one for each"):
        Mixture(KEYS, (1.0, 2.0))


def test_huge_weights_do_not_overflow() -> None:
    assert Mixture(("a", "b"), (1e308, 1e308)).weights == (0.5, 0.5)
