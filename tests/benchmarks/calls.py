"""One call of the built-in denoiser by the pictures of its batch: processor time, on one thread.

Processor time is the same however busy the machine is: what the network's arithmetic needs at the
speed of a bare matrix product, and what the rest of a call takes beside it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from unittest import mock

import torch

import latmix
from latmix.jobs.speed import MIDDLE, call_operations
from latmix.models.protocol import Model
from tests.benchmarks.measure import timings

BATCHES = (1, 2, 8, 32)
SIDE = 1024
REPEATS = 10


def main() -> None:
    torch.set_num_threads(1)
    left, right = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)
    bare = 2 * SIDE**3 / processor_seconds(lambda: left @ right)
    print(f"  bare matrix product: {bare / 1e9:.0f} GFLOP/s")
    direct, recorded = loaded("0"), loaded("1")
    operations = call_operations(direct, direct.source.size)
    for batch in BATCHES:
        taken = [call_seconds(model, batch) for model in (direct, recorded)]
        shares = [operations * batch / seconds / bare for seconds in taken]
        print(
            f"batch of {batch:2}: direct {taken[0] * 1e3:6.1f} ms, {shares[0]:.2f} of the product; "
            f"recorded {taken[1] * 1e3:6.1f} ms, {shares[1]:.2f}",
            flush=True,
        )


def loaded(calls: str) -> Model:
    """The built-in model, recorded after so many calls."""
    with mock.patch.dict(os.environ, LATMIX_RECORD_AFTER=calls):
        return latmix.load_model("mini", device="cpu")


def call_seconds(model: Model, batch: int) -> float:
    state = torch.randn(batch, *model.source.latent_shape(model.source.size))
    told = model.condition([""] * batch)
    model.predict(state, MIDDLE, told)
    return processor_seconds(lambda: model.predict(state, MIDDLE, told))


def processor_seconds(work: Callable[[], object]) -> float:
    """The least processor time of some runs, after one that is not counted."""
    return min(timings(work, REPEATS, time.process_time))
