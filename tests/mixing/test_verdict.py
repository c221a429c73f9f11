"""The verdict: one place decides, by L&K's thresholds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latmix.mixing.grid import parse_method
from latmix.mixing.verdict import (
    NORM_TOO_SMALL,
    OFFSET_DAMAGING,
    OFFSET_VISIBLE,
    Verdict,
    judge,
    law,
)


@pytest.mark.parametrize(
    ("offsets", "share", "verdict"),
    [
        ([0.0, 0.1], 1.0, Verdict.FINE),
        ([0.0, -OFFSET_VISIBLE], 1.0, Verdict.DRIFTING),
        ([OFFSET_DAMAGING, 0.0], 1.0, Verdict.DEGENERATE),
        ([0.0], NORM_TOO_SMALL - 0.01, Verdict.WASHED_OUT),
        ([0.0], NORM_TOO_SMALL, Verdict.FINE),
        ([0.5], 0.1, Verdict.DEGENERATE),
    ],
)
def test_a_threshold_belongs_to_the_worse_side(
    offsets: list[float], share: float, verdict: Verdict
) -> None:
    found, sentence = judge(parse_method("nin/0"), offsets, share)
    assert found is verdict
    assert (sentence is None) == (verdict is Verdict.FINE)
    assert sentence is None or verdict.value in sentence


def test_the_sentence_names_the_channel_that_moved_most() -> None:
    _, sentence = judge(parse_method("fix/0"), [0.1, -0.31, 0.3], 1.0)
    assert sentence is not None and "channel 1 by 0.31" in sentence


@given(st.floats(0, 10), st.floats(1, 1e6))
def test_the_law_is_bounded_by_the_root_of_n_and_by_the_bias(bias: float, count: float) -> None:
    alpha = law([bias], count)
    assert 0 < alpha <= count**0.5 * (1 + 1e-12)
    assert alpha * bias <= 1
    assert law([bias], 2 * count) >= alpha
