"""Many stored latents: opening, sums beside bare reading, memory, and an edit of one weight.

`LATMIX_BENCHMARK_ROWS` latents of 4 x 64 x 64 (100,000: 6.6 GB of disk, and as much page cache).
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from array import array
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path

import torch

from latmix.jobs.inversion import Inversion
from latmix.jobs.pictures import PictureRow
from latmix.jobs.screen.meter import memory_in_use
from latmix.jobs.stored_mixtures import mix_stored, stored_sums
from latmix.mixing.formula import weight_table
from latmix.mixing.grid import DEFAULT_METHOD, parse_method
from latmix.mixing.live import LiveStatistics
from latmix.mixing.mixture import Mixture
from latmix.mixing.summary import Summary
from latmix.sampling.settings import InversionSettings
from latmix.store.latents import LatentStore
from latmix.store.space import LatentSpace
from tests.benchmarks.measure import report, seconds

ROWS = int(os.environ.get("LATMIX_BENCHMARK_ROWS", "100000"))
SHAPE = (4, 64, 64)
SETTINGS = {"made": "for a benchmark"}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        rows = tuple(PictureRow(Path(f"{n}.png"), f"{n:064x}", "") for n in range(ROWS))
        keys = [row.key for row in rows]
        start = time.perf_counter()
        fill(root, keys)
        print(f"{ROWS} latents written in {time.perf_counter() - start:.1f} s")
        files = sorted(root.rglob("*.safetensors"))
        reading = seconds(lambda: read(files), 3)
        report("bare reading of the same files (page cache)", reading, reading, "reading")

        def opened() -> LatentSpace:
            return LatentStore(root).open(SETTINGS, SHAPE)

        report("open the space", seconds(opened, 3), 1.0, "1 s")
        space = opened()
        start = time.perf_counter()
        space.missing(keys)
        report("check every latent", time.perf_counter() - start, reading, "reading")
        report("and once more", seconds(lambda: space.missing(keys), 1), reading, "reading")
        report("summary: norms and channel means", seconds(lambda: space.summary(keys), 1), reading,
               "reading")  # fmt: skip
        summary = Summary(*space.summary(keys), (64, 64))
        weights = torch.full((1, ROWS), 1 / ROWS, dtype=torch.float64)

        settings = InversionSettings((512, 512))
        inversion = Inversion(rows, (), space, settings, cached=ROWS, calls=0, seconds=0.0)

        def centroid() -> torch.Tensor:
            return stored_sums(inversion, summary, weights, torch.float32)

        report("centroid", seconds(centroid, 3), reading, "reading")
        before = memory_in_use()
        print(f"  memory beyond what was held before: {(peak(centroid) - before) / 2**20:.0f} MB")
        method = parse_method(DEFAULT_METHOD)
        mixed = seconds(lambda: mix_stored(inversion, None, method), 3)
        report(f"centroid under {DEFAULT_METHOD}, with statistics", mixed, reading, "reading")
        edit(space, keys, summary)


def fill(root: Path, keys: list[str]) -> None:
    latents = torch.randn(256, *SHAPE)
    with LatentStore(root).open(SETTINGS, SHAPE) as space:
        for index, key in enumerate(keys):
            space.add(key, latents[index % 256])


def read(files: Iterable[Path]) -> None:
    buffer = memoryview(torch.empty(2**20).numpy().data).cast("B")  # aligned, which is quicker
    for path in files:
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass


def peak(work: object) -> float:
    """The most memory that was in use during some work, looked at every 5 ms."""
    most, done = [memory_in_use()], threading.Event()

    def look() -> None:
        while not done.wait(0.005):
            most[0] = max(most[0], memory_in_use())

    watcher = threading.Thread(target=look)
    watcher.start()
    work()  # type: ignore[operator]
    done.set()
    watcher.join()
    return most[0]


def edit(space: LatentSpace, keys: list[str], summary: Summary) -> None:
    """The statistics after one weight of all changed, from the running sum; and the change."""
    live = LiveStatistics(summary, lambda indices: space.blocks([keys[i] for i in indices]))
    weights = array("d", [1.0] * len(keys))
    live.statistics(weights, "nin/chm")
    turn = iter(range(1000))

    method, device = parse_method("nin/chm"), torch.device("cpu")

    def move() -> None:
        weights[next(turn)] += 0.5
        live._summed(weight_table(weights, len(keys), device)[0], method)

    report("the sum after one of all weights changed", seconds(move, 20), 1e-3, "1 ms")

    def change() -> None:
        weights[next(turn)] += 0.5
        live.statistics(weights, "nin/chm")

    report("statistics after one of all weights changed", seconds(change, 20), 1e-3, "1 ms")
    edits = accumulate(keys[:20], lambda mixture, key: mixture.nudge(key, 1e-3),
                       initial=Mixture.equal(keys))  # fmt: skip
    report("a mixture with one of its weights changed", seconds(lambda: next(edits), 10), 1e-3,
           "1 ms")  # fmt: skip
