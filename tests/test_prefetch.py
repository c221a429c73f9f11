"""Reading ahead of the network."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latmix.prefetch import map_ahead


@given(st.lists(st.integers()), st.integers(1, 5), st.integers(1, 3))
def test_all_items_come_in_order_with_what_was_made_of_them(
    items: list[int], depth: int, threads: int
) -> None:
    made = map_ahead(items, lambda x: x * x, depth, threads)
    found = [(item, future.result()) for item, future in made]
    assert found == [(item, item * item) for item in items]


def test_an_error_comes_with_its_item_and_stops_nothing() -> None:
    found = list(map_ahead([1, 0, 2], lambda x: 6 // x, 2))
    assert [future.result() for item, future in found if item] == [6, 3]
    with pytest.raises(ZeroDivisionError):
        found[1][1].result()


def test_no_more_is_done_than_was_asked_for_and_the_depth() -> None:
    done: list[int] = []
    with closing(map_ahead(range(100), lambda x: done.append(x), 3)) as items:
        for _ in range(5):
            next(items)[1].result()
    assert done[:5] == [0, 1, 2, 3, 4] and len(done) <= 5 + 3


def test_work_goes_on_in_another_thread_while_an_item_is_in_hand() -> None:
    second = threading.Event()

    def work(item: int) -> int:
        if item == 2:
            second.set()
        return item

    with closing(map_ahead([1, 2, 3], work, 2)) as items:
        assert next(items)[1].result() == 1
        assert second.wait(10)
