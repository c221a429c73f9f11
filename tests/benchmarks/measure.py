"""Times as ratios within one run: absolute ones depend on the machine and what else it does."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch


def timings(
    work: Callable[[], object], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """What each of some runs took by a clock, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = clock()
        work()
        times.append(clock() - start)
    return times


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """The median time of some runs, after one that is not counted."""
    return statistics.median(timings(work, repeats))


def report(what: str, value: float, base: float, against: str) -> None:
    print(f"{what:<58} {value * 1e3:10.3f} ms  {value / base:9.3f} x {against}", flush=True)


def product_rate(side: int = 1024, device: str = "cpu", kind: torch.dtype = torch.float32) -> float:
    """Floating-point operations a second of a bare matrix product."""
    left, right = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))

    def product() -> None:
        _ = left @ right
        if device == "cuda":
            torch.cuda.synchronize()

    return 2 * side**3 / seconds(product, 10)
