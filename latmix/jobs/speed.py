"""How quick this machine is at what latmix does, beside what it could be: `latmix doctor --bench`.

Every figure is the median of some runs after one that is not counted, and takes a second or two.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch

from latmix.jobs.batch_size import empty_prompts
from latmix.jobs.progress import Progress
from latmix.jobs.workbench import Workbench
from latmix.mixing.grid import DEFAULT_METHOD
from latmix.mixing.live import LiveStatistics
from latmix.models.protocol import Model
from latmix.models.recorded import calls_before_recording

PICTURES = 96
"""Latents whose mixture is looked at."""

SECONDS = 1.0
"""Each figure is measured for about so long, and at least `RUNS` times."""

RUNS = 3

SETTLING = 3.0
"""Seconds that the network is called for before it is measured."""

MIDDLE = 500.0
"""A timestep to call the network at; its time does not depend on it."""


@dataclass(frozen=True)
class Speed:
    """What was measured, in seconds and operations a second.

    Attributes:
        product: floating-point operations a second of a bare matrix product in the network's type.
        alone: seconds of a network call for one picture.
        together: seconds of one for `batch` pictures.
        operations: of a network call for one picture; 0 where they cannot be counted.
        decode: seconds to decode one picture.
        change: seconds from a changed weight to the statistics of 96 latents.
    """

    product: float
    alone: float
    together: float
    batch: int
    operations: int
    decode: float
    change: float

    @property
    def share(self) -> float:
        """Of a bare matrix product's speed, what the network reaches with a batch."""
        return self.operations * self.batch / self.together / self.product

    def seconds(self, steps: int, calls: float) -> float:
        """Of a picture's trajectory, in batches, at so many network calls a step."""
        return steps * calls * self.together / self.batch


def measure_speed(bench: Workbench) -> Generator[Progress, None, Speed]:
    """Measure a model on its device.

    Raises:
        ModelError: it cannot be loaded.
    """
    model, device = (yield from bench.loaded()), bench.device
    batch = bench.limit_for(model.source.size).size(bench.batch)
    kind = getattr(torch, bench.dtype)
    yield Progress("bench", 0, 4, note="matrix product")
    side = 4096 if device.type == "cuda" else 1024
    left, right = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))
    product = 2 * side**3 / median(lambda: left @ right, device)
    yield Progress("bench", 1, 4, note="network")
    shape = model.source.latent_shape(model.source.size)
    state, conditioning = torch.randn(batch, *shape, device=device), empty_prompts(model, batch)
    one = conditioning.rows([0])
    operations = call_operations(model, model.source.size)
    _settle(lambda: model.predict(state[:1], MIDDLE, one))
    alone = median(lambda: model.predict(state[:1], MIDDLE, one), device)
    together = median(lambda: model.predict(state, MIDDLE, conditioning), device)
    yield Progress("bench", 2, 4, note="decoder")
    decode = median(lambda: model.decode(state[:1]), device)
    yield Progress("bench", 3, 4, note="statistics")
    live = LiveStatistics.of(torch.randn(PICTURES, *shape))
    weights = [1.0 + index for index in range(PICTURES)]
    change = median(lambda: live.statistics(weights, DEFAULT_METHOD), torch.device("cpu"))
    return Speed(product, alone, together, batch, operations, decode, change)


def median(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of some work on a device, whose queue is empty before and after."""
    times: list[float] = []
    _timed(work, device)
    while len(times) < RUNS or sum(times) < SECONDS:
        times.append(_timed(work, device))
    return statistics.median(times)


def _settle(work: Callable[[], object]) -> None:
    """Call the network as often as a job does before a small one is recorded, or for a while."""
    end = time.monotonic() + SETTLING
    for _ in range(calls_before_recording() + 1):
        work()
        if time.monotonic() >= end:
            return


def _timed(work: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    work()
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter() - start


def call_operations(model: Model, size: tuple[int, int]) -> int:
    """Floating-point operations of the products and convolutions of a network call for one picture
    of a size (width, height)."""
    from torch.utils.flop_counter import FlopCounterMode

    state = torch.randn(1, *model.source.latent_shape(size), device=model.device)
    with FlopCounterMode(display=False) as counter:
        model.predict(state, MIDDLE, empty_prompts(model, 1))
    return int(counter.get_total_flops())
