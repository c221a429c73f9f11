"""The screen's loop: the longest that it stands still, and its answers to keys at 10,000 pictures.

For every story: the longest time in which the loop could not answer, and the most processor time
that the loop itself took at once, which a busy machine lengthens less. The stories are played in a
process of its own, where torch is not imported yet.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from latmix import demo
from latmix.images.folders import find_pictures
from tests.benchmarks.measure import report, seconds
from tests.support.driver import exploring, opened
from tests.support.stories import KEYS, OPTIONS, many_pictures, play

BEAT = 0.002

BAR = 0.1
"""Seconds that no stall may take."""

FIRST_PAINT = 1.0
"""Seconds after which something must be shown."""


def main() -> None:
    faces = demo.folder("faces")
    command = [sys.executable, "-m", "tests.benchmarks.screen", str(faces)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for story, (stall, own) in found.items():
        report(f"{story}: longest stall", stall, BAR, "0.1 s")
        report(f"{story}: most processor time at once", own, BAR, "0.1 s")
    with TemporaryDirectory() as name:
        os.environ["LATMIX_HOME"] = f"{name}/home"
        place = many_pictures(Path(name) / "many", find_pictures([faces])[0])
        finding = seconds(lambda: find_pictures([place], recursive=True), 3)
        report("find 10,000 pictures", finding, FIRST_PAINT, "1 s")
        asyncio.run(answer_keys(place))


class Heart:
    """Beats in the loop, and remembers when."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[float, float]] = {}
        self._beats = [self._now()]

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.monotonic(), time.thread_time()

    async def beat(self) -> None:
        while True:
            self._beats.append(self._now())
            await asyncio.sleep(BEAT)

    def note(self, story: str) -> None:
        """The longest stalls since the last note."""
        pairs = list(pairwise([*self._beats, self._now()]))
        stall, own = (max(after[at] - before[at] for before, after in pairs) for at in (0, 1))
        self.found[story] = (stall, own)
        self._beats = [self._now()]


async def measure_stories(folder: Path) -> dict[str, tuple[float, float]]:
    """Every story's longest stall, and the loop's own share of one."""
    heart = Heart()
    beating = asyncio.create_task(heart.beat())
    async with exploring(folder, (120, 40), **OPTIONS) as driver:
        await play(driver, heart.note)
    beating.cancel()
    with suppress(asyncio.CancelledError):
        await beating
    return heart.found


async def answer_keys(place: Path) -> None:
    """Processor time of the loop from each key to the painted screen."""
    start = time.monotonic()
    async with opened(place, (120, 40), recursive=True) as driver:
        report("open 10,000 pictures", time.monotonic() - start, FIRST_PAINT, "1 s")
        await driver.until(lambda: driver.app.jobs.working_model)
        for name, key in KEYS:
            before = time.thread_time()
            await driver.press(key)
            report(f"key: {name}", time.thread_time() - before, BAR, "0.1 s")


if __name__ == "__main__":
    # Results and latents of an earlier run would be another story.
    with TemporaryDirectory(prefix="latmix-stalls-") as home:
        os.environ["LATMIX_HOME"] = home
        stalls = asyncio.run(measure_stories(Path(sys.argv[1])))
    print(json.dumps(stalls))
