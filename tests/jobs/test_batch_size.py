"""Pictures at a time: what one takes of a GPU's memory is measured, and the rest divides.

The memory here is counted, a unit a row of the network and some for encoding; the model is real.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from latmix.jobs.batch_size import (
    BATCH,
    MOST,
    MOST_ON_CPU,
    batch_on_cpu,
    largest_batch,
    measured_batch,
)
from latmix.jobs.inversion import invert_pictures
from latmix.jobs.workbench import Workbench
from latmix.models.protocol import Conditioning, Model
from latmix.sampling.generators import drained
from latmix.sampling.settings import InversionSettings
from latmix.session.machine import Machine
from latmix.store.latents import LatentStore

STEPS = InversionSettings((64, 64), steps=2, solver="ddim")


class Counted:
    """A model, and the memory that its device has: bytes for a row and for an encoded picture."""

    def __init__(self, model: Model, room: int, row: int, encoding: int = 0) -> None:
        self._model, self._room, self._row, self._encoding = model, room, row, encoding
        self.held, self.tried = 0, list[int]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode(self, pictures: list[Image.Image]) -> Tensor:
        self._hold(self._encoding * len(pictures))
        return self._model.encode(pictures)

    def predict(self, state: Tensor, time: float, conditioning: Conditioning) -> Tensor:
        self.tried.append(len(state))
        self._hold(self._row * len(state))
        return self._model.predict(state, time, conditioning)

    def _hold(self, size: int) -> None:
        self.held = max(self.held, size)
        if size > self._room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    def free(self) -> int:
        return self._room

    def peak(self, work: Callable[[], object]) -> int:
        self.held = 0
        work()
        return self.held


@pytest.mark.parametrize(
    ("room", "row", "encoding", "expected"),
    [
        (100, 10, 0, 4),
        (100, 1, 0, 40),
        (100, 1, 20, 4),
        (21, 10, 0, 1),
        (15, 10, 0, 1),
        (5, 1, 9, 1),
    ],
)
def test_what_one_picture_takes_says_how_many_fit(
    mini: Model, room: int, row: int, encoding: int, expected: int
) -> None:
    """Four fifths of the memory; a picture is two rows of the network, for guidance."""
    counted: Any = Counted(mini, room, row, encoding)
    assert measured_batch(counted, (64, 64), counted) == expected


def test_a_job_takes_as_many_as_fit_and_none_is_lost(
    mini: Model, faces: list[Path], tmp_path: Path
) -> None:
    bench = Workbench(mini.source, LatentStore(tmp_path), Machine("cpu"))
    counted: Any = Counted(mini, 50, 10)
    bench._model, bench._meter, bench.batch = counted, counted, MOST
    counted.tried = []
    job = invert_pictures(bench, faces[:5], STEPS, "")
    inversion = drained(job)
    assert inversion.inverted == 5
    assert counted.tried == [2, *[2, 2] * 2, *[1, 1]]
    assert bench.limit_for((64, 64)).most == 2
    assert inversion.calls == 6
    assert inversion.evaluations == 5 * STEPS.steps


def test_evaluations_are_of_the_pictures_whatever_was_halved(
    mini: Model, faces: list[Path], tmp_path: Path
) -> None:
    bench = Workbench(mini.source, LatentStore(tmp_path), Machine("cpu"))
    bench._model = Counted(mini, 20, 10)  # type: ignore[assignment]
    inversion = drained(invert_pictures(bench, faces[:3], STEPS, ""))
    assert bench.limit.most == 1
    assert inversion.evaluations == 3 * STEPS.steps


def test_a_number_is_taken_and_a_cpu_is_not_measured(mini: Model, tmp_path: Path) -> None:
    store = LatentStore(tmp_path)
    auto = Workbench(mini.source, store, Machine("cpu"))
    assert auto.batch == MOST_ON_CPU == largest_batch(torch.device("cpu"))
    assert auto.limit_for((64, 64)).most == MOST_ON_CPU
    assert auto.limit_for((512, 512)).most == batch_on_cpu((4, 128, 128)) == BATCH
    assert batch_on_cpu((4, 48, 48)) == 14
    assert largest_batch(torch.device("cuda")) == MOST
    named = Workbench(mini.source, store, Machine("cpu", batch=3))
    assert named.batch == 3
    assert named.limit_for((64, 64)).most is None
    assert not named.is_loaded
