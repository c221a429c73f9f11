"""Rows worked on side by side are the rows worked on together."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from latmix.models.recorded import EACH, RecordedUNet
from latmix.models.side_by_side import ROWS, side_by_side


@pytest.fixture(params=[1, 2, 3])
def cores(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("rows", [1, 2 * ROWS - 1, 2 * ROWS, 5 * ROWS + 3])
def test_every_row_is_worked_on_once_in_parts_that_are_large_enough(cores: int, rows: int) -> None:
    values, parts, threads = torch.arange(rows), list[slice](), set[int]()

    def work(part: slice) -> Tensor:
        parts.append(part)
        threads.add(torch.get_num_threads())
        return values[part] * 2

    for _ in range(2):
        parts.clear()
        assert torch.equal(side_by_side(work, rows), values * 2)
        assert len(parts) == max(1, min(cores, rows // ROWS))
        assert min(part.stop - part.start for part in parts) >= min(rows, ROWS)
    assert len(parts) == 1 or threads == {max(1, cores // len(parts))}
    assert torch.get_num_threads() == cores


def test_what_goes_wrong_in_a_part_is_raised_and_the_next_batch_works(cores: int) -> None:
    def work(part: slice) -> Tensor:
        if part.stop == 4 * ROWS:
            raise RuntimeError("out of memory")
        return torch.zeros(part.stop - part.start)

    with pytest.raises(RuntimeError, match="out of memory"):
        side_by_side(work, 4 * ROWS)
    assert torch.get_num_threads() == cores
    assert len(side_by_side(work, 4 * ROWS - 1)) == 4 * ROWS - 1


def test_jobs_in_two_threads_do_not_disturb_one_another(cores: int) -> None:
    made = dict[int, Tensor]()

    def job(number: int) -> None:
        for _ in range(20):
            made[number] = side_by_side(
                lambda part: torch.full((part.stop - part.start,), number), 40
            )

    jobs = [threading.Thread(target=job, args=(number,)) for number in range(3)]
    for one in jobs:
        one.start()
    for one in jobs:
        one.join()
    assert {number: set(rows.tolist()) for number, rows in made.items()} == {0: {0}, 1: {1}, 2: {2}}
    assert torch.get_num_threads() == cores


def test_a_large_batch_is_recorded_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATMIX_RECORD_AFTER", "6")

    class Network(torch.nn.Module):
        calls = 0

        def forward(self, state: Tensor, time: Tensor, encoder_hidden_states: Tensor, **_: object):  # type: ignore[no-untyped-def]
            type(self).calls += 1
            return (state * time.float() + encoder_hidden_states.mean(),)

    for batch, direct in ((1, 6), (2 * EACH, 2)):
        Network.calls = 0
        quick = RecordedUNet(Network())
        state, text = torch.ones(batch, 1, 2, 2), torch.zeros(batch, 1, 1)
        for _ in range(10):
            assert torch.equal(quick(state, 3.0, text), state * 3)
        assert Network.calls == direct + 1  # once more to be recorded
