"""Which pictures a draw takes."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from latmix.study.draws import Draws

PATHS = [Path(f"{index}.png") for index in range(12)]


@given(st.integers(1, 5), st.integers(0, 99), st.integers(1, 12), st.sets(st.sampled_from(PATHS)))
@settings(max_examples=50, deadline=None)
def test_a_draw_takes_the_first_readable_of_its_order(
    repeats: int, seed: int, count: int, lost: set[Path]
) -> None:
    draws = Draws.random(PATHS, repeats, seed)
    assert draws.orders == Draws.random(PATHS, repeats + 1, seed).orders[:repeats]
    assert all(sorted(order) == list(range(12)) for order in draws.orders)
    wanted = draws.wanted(count, lost)
    assert wanted == sorted(wanted, key=PATHS.index)
    assert not lost & set(wanted)
    assert set(draws.wanted(1, lost)) <= set(wanted)
    readable = min(count, 12 - len(lost))
    assert readable <= len(wanted) <= min(repeats * count, 12 - len(lost))
    assert Draws.natural(PATHS).wanted(count, lost) == [p for p in PATHS if p not in lost][:count]
