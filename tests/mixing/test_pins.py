"""Pinned pictures: any edit of the others leaves their weight alone, and so does every sequence."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from latmix.mixing.mixture import Mixture, mixture_of

KEYS = tuple("abcde")

mixtures = st.builds(
    mixture_of,
    st.lists(st.floats(0, 1), min_size=5, max_size=5)
    .filter(any)
    .map(lambda weights: dict(zip(KEYS, weights, strict=True))),
    st.sets(st.sampled_from(KEYS), max_size=5),
)
some_keys = st.sets(st.sampled_from("abcdefg"), min_size=1)


def close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


def edits_of_others(mixture: Mixture, key: str, amount: float, keys: set[str]) -> list[Mixture]:
    """Every edit that does not name a pinned picture."""
    free = sorted(keys - mixture.pinned)
    return [
        mixture.equalise(),
        mixture.equalise(free),
        mixture.randomise(7),
        mixture.take_in(free),
        mixture.mute(*free),
        *((mixture.set(key, amount), mixture.nudge(key, amount)) if key in free else ()),
        *((mixture.solo(key),) if key in free else ()),
    ]


@given(mixtures, st.sampled_from("abcdefg"), st.floats(-2, 2), some_keys)
def test_an_edit_of_the_others_leaves_a_pinned_weight(
    mixture: Mixture, key: str, amount: float, keys: set[str]
) -> None:
    for edited in edits_of_others(mixture, key, amount, keys):
        assert close(math.fsum(edited.weights), 1.0)
        assert edited.pinned == mixture.pinned
        for pinned in mixture.pinned:
            assert close(edited.weight(pinned), mixture.weight(pinned))


@given(mixtures, some_keys)
@example(mixture_of({"a": 5e-324, "b": 0.375, "c": 0.0, "d": 0.0, "e": 1.0}, {"b"}), {"e"})
def test_dropping_others_leaves_pinned_weights_while_something_else_can_take_theirs(
    mixture: Mixture, keys: set[str]
) -> None:
    left = mixture.drop(*keys)
    assert close(math.fsum(left.weights), 1.0)
    assert left.pinned == mixture.pinned & set(left.keys)
    if set(left.keys) - left.pinned:
        assert all(close(left.weight(key), mixture.weight(key)) for key in left.pinned)


@given(mixtures, st.lists(st.sampled_from(KEYS), max_size=4))
def test_pinning_twice_is_as_not_pinning(mixture: Mixture, keys: list[str]) -> None:
    loose = mixture.pin(*mixture.pinned)
    pinned = loose.pin(*keys)
    assert pinned.weights == pytest.approx(mixture.weights)
    assert pinned.pinned == set(keys)
    assert pinned.pin(*keys).pinned == (set() if keys else pinned.pinned)


@given(mixtures, st.lists(st.tuples(st.sampled_from("abcdefg"), st.floats(-1, 1)), max_size=30))
def test_pins_do_not_drift_over_many_edits(
    mixture: Mixture, edits: list[tuple[str, float]]
) -> None:
    edited = mixture
    for key, amount in edits:
        if key not in mixture.pinned:
            edited = edited.nudge(key, amount)
    assert all(close(edited.weight(key), mixture.weight(key)) for key in mixture.pinned)


def test_the_others_share_what_pinned_ones_leave() -> None:
    mixture = Mixture.equal("abcd").set("a", 0.4).pin("a")
    assert mixture.set("b", 0.3).weights == pytest.approx((0.4, 0.3, 0.15, 0.15))
    assert mixture.solo("b").weights == pytest.approx((0.4, 0.6, 0, 0))
    assert mixture.set("a", 0.1).weights == pytest.approx((0.1, 0.3, 0.3, 0.3))
    assert mixture.drop("b").weights == pytest.approx((0.4, 0.3, 0.3))
    assert mixture.take_in("e").weights == pytest.approx((0.4, 0.15, 0.15, 0.15, 0.15))


def test_nothing_moves_where_all_others_are_pinned() -> None:
    mixture = Mixture.equal("abc").pin("a", "b")
    assert mixture.set("c", 0.9) == mixture
    assert mixture.mute("c") == mixture
    assert mixture.drop("c").weights == (0.5, 0.5)


def test_equal_among_some_leaves_the_rest_as_it_was() -> None:
    mixture = Mixture(tuple("abcd"), (0.1, 0.3, 0.2, 0.4))
    assert mixture.equalise("ab").weights == pytest.approx((0.2, 0.2, 0.2, 0.4))
    assert mixture.mute("a", "b").equalise("ab").weights == pytest.approx(
        (0.25,) * 2 + (1 / 6, 1 / 3)
    )


def test_pins_are_of_pictures_in_the_mixture() -> None:
    with pytest.raises(ValueError, match="pinned"):
        Mixture(("a",), (1.0,), frozenset("b"))
    assert mixture_of({"a": 1.0}, "ab").pinned == {"a"}
