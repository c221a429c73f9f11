"""Memory that runs out: batches are halved, no picture is lost, and one that cannot fit says so."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import latmix
from latmix.errors import LatmixError
from latmix.jobs.batch_size import MOST_ON_CPU
from latmix.jobs.generation import generate_mixtures
from latmix.jobs.inversion import invert_pictures
from latmix.jobs.roundtrip import round_trips
from latmix.jobs.stored_mixtures import mix_stored
from latmix.jobs.workbench import Workbench
from latmix.mixing.grid import parse_method
from latmix.models.protocol import Conditioning, Model
from latmix.sampling.batches import BatchLimit, in_batches, is_out_of_memory
from latmix.sampling.generators import drained
from latmix.sampling.settings import GenerationSettings, InversionSettings
from latmix.session.machine import Machine
from latmix.store.latents import LatentStore
from latmix.study.noise import generate_clean, sample_noise

STEPS = InversionSettings((64, 64), steps=1, solver="ddim")


class Crowded:
    """A model whose network has room for so many states, as torch says it of a full GPU."""

    def __init__(self, model: Model, room: int) -> None:
        self._model, self.room, self.tried = model, room, []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def predict(self, state: Tensor, time: float, conditioning: Conditioning) -> Tensor:
        self.tried.append(len(state))
        if len(state) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return self._model.predict(state, time, conditioning)


def crowded_bench(mini: Model, home: Path, room: int) -> Workbench:
    bench = Workbench(mini.source, LatentStore(home), Machine("cpu"))
    bench._model = Crowded(mini, room)  # type: ignore[assignment]
    return bench


def test_jobs_halve_their_batches_and_lose_nothing(
    mini: Model, faces: list[Path], tmp_path: Path
) -> None:
    """Three pictures at a time do not fit: they are done one by one."""
    settings = GenerationSettings(1.0, 1)
    wide = crowded_bench(mini, tmp_path / "wide", 99)
    narrow = crowded_bench(mini, tmp_path / "narrow", 2)
    found = []
    for bench in (wide, narrow):
        job = invert_pictures(bench, faces[:3], STEPS, "an emoji")
        inversion = drained(job)
        assert not inversion.failures
        assert inversion.inverted == 3
        weights = torch.eye(3).tolist()
        mixed = mix_stored(inversion, weights, parse_method("lin/0"))
        made = drained(generate_mixtures(bench, inversion, mixed, settings))
        trips = drained(round_trips(bench, inversion))
        found.append((inversion, made.pictures, trips))
    assert narrow.limit.most == 1
    assert max(narrow.model.tried) == 3  # type: ignore[attr-defined]
    assert wide.limit.most == MOST_ON_CPU
    (one, ones, _), (two, twos, trips) = found
    assert [row.key for row in one.rows] == [row.key for row in two.rows]
    latents = [each.space.read(each.keys) for each in (one, two)]
    torch.testing.assert_close(*latents, rtol=1e-4, atol=1e-4)
    assert len(twos) == len(trips) == 3
    assert [picture.size for picture in ones] == [picture.size for picture in twos]


@pytest.mark.parametrize("solver", ["null-text", "belm"])
def test_halved_batches_keep_each_latents_own_companions(
    mini: Model, faces: list[Path], tmp_path: Path, solver: str
) -> None:
    settings = InversionSettings((32, 32), steps=3, guidance=3.0, solver=solver, inner_steps=1)
    found = []
    for room in (99, 2):
        bench = crowded_bench(mini, tmp_path / str(room), room)
        job = invert_pictures(bench, faces[:3], settings, "an emoji")
        inversion = drained(job)
        latents = inversion.read(inversion.rows)
        found.append((latents.noise, *latents.companions.values()))
        assert len(drained(round_trips(bench, inversion))) == 3
    torch.testing.assert_close(*found, rtol=0, atol=2e-2)


def test_generating_from_noise_halves_too(mini: Model, tmp_path: Path) -> None:
    noise, settings = sample_noise(3, (4, 8, 8), 0), GenerationSettings(1.0, 2)
    found = []
    for room in (99, 1):
        bench = crowded_bench(mini, tmp_path, room)
        bench.batch = 3
        found.append(drained(generate_clean(bench, noise, "an emoji", settings)))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-4)


def test_python_calls_halve_too(mini: Model, faces: list[Path]) -> None:
    crowded: Any = Crowded(mini, 1)
    latents = latmix.invert(crowded, faces[:2], steps=1, solver="ddim")
    whole = latmix.invert(mini, faces[:2], steps=1, solver="ddim")
    torch.testing.assert_close(latents, whole, rtol=1e-4, atol=1e-4)
    assert len(latmix.generate(crowded, latents, steps=1, guidance=1.0)) == 2


def test_one_picture_that_does_not_fit_is_a_sentence(
    mini: Model, faces: list[Path], tmp_path: Path
) -> None:
    bench = crowded_bench(mini, tmp_path, 0)
    job = invert_pictures(bench, faces[:2], STEPS, "")
    with pytest.raises(LatmixError, match="one picture at a time"):
        drained(job)


def test_only_a_lack_of_memory_is_tried_again() -> None:
    tried: list[int] = []

    def work(part: range) -> Generator[int, None, int]:
        tried.append(len(part))
        yield len(part)
        if len(part) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")
        return sum(part)

    limit = BatchLimit()
    assert drained(in_batches(7, 5, limit, work)) == [0 + 1, 2 + 3, 4 + 5, 6]
    assert tried == [5, 2, 2, 2, 1]
    assert limit.most == 2

    def broken(part: range) -> Generator[int, None, int]:
        yield 1
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        drained(in_batches(2, 2, BatchLimit(), broken))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(ValueError("out of memory"))
