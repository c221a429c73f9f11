"""Measures the longest stalls of the screen's loop: `python -m tests.tui.stalls FOLDER`.

Plays every story on a folder of pictures in a process of its own, where torch is not imported yet.
For each story: the longest time in which the loop could not answer, and the most processor time
that the loop itself took at once, which a busy machine lengthens less; in seconds, as JSON. With
them a `yardstick`: how long the same processor takes for work that is always the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from latmix.tui.pictures.variants import VariantsScreen
from tests.support.driver import Driver, exploring

BEAT = 0.002


class Heart:
    """Beats in the loop, and remembers when."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}
        self.begin()

    def begin(self) -> None:
        """Forget all beats until now."""
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
        self.found[story] = {
            "stall": max(after[0] - before[0] for before, after in pairs),
            "own": max(after[1] - before[1] for before, after in pairs),
        }
        self.begin()


def yardstick() -> float:
    """Seconds of processor time for some work of plain Python, as Textual's is."""
    start = time.thread_time()
    words = [f"{index % 97}-{index}" for index in range(20_000)]
    lengths: dict[str, int] = {}
    for word in words:
        key = word.partition("-")[0]
        lengths[key] = max(lengths.get(key, 0), len(word))
    assert len(sorted(words)) == 20_000 and len(lengths) == 97
    return time.thread_time() - start


async def play(driver: Driver, heart: Heart) -> None:
    """Every story, one after the other."""
    app, session = driver.app, driver.session

    def note(story: str) -> None:
        heart.note(story)
        driver.messages.clear()  # the program keeps none of them, and garbage would be sought there

    heart.begin()
    await driver.until(lambda: session.pictures)
    note("open")
    await driver.until(lambda: app.jobs.setting)
    note("import torch")
    await driver.press("N", "3", "enter", "m", "escape", "comma", "escape", "p", "escape")
    note("choose")
    await driver.press("i")
    await driver.until(lambda: session.is_measured)
    note("invert")
    await driver.press(*"lljLxsu", "equals_sign", "V", "escape")
    note("edit")
    for count in (1, 2):
        await driver.press("l", "g")
        await driver.until(lambda count=count: len(session.results) == count)
        await driver.until_idle()
    note("generate")
    for key, story in (("c", "compare"), ("S", "sweep")):
        await driver.press(key)
        await driver.until(lambda: isinstance(app.screen, VariantsScreen) and app.screen.variants)
        await driver.press("right", "escape")
        note(story)
    await driver.press("less_than_sign", "w", "l", "w", "d")
    await driver.until(lambda: driver.finished("diff"))
    await driver.press("escape", "r")
    await driver.until(lambda: driver.finished("revisit"))
    note("results")
    await driver.press("q")
    note("quit")


async def measure(folder: Path) -> dict[str, dict[str, float]]:
    heart = Heart()
    beating = asyncio.create_task(heart.beat())
    async with exploring(folder, (120, 40), count=4, batch=2, choices={"steps": 6}) as driver:
        await play(driver, heart)
    beating.cancel()
    with suppress(asyncio.CancelledError):
        await beating
    return heart.found


if __name__ == "__main__":
    before = yardstick()
    # Results and latents of an earlier run would be another story.
    with TemporaryDirectory(prefix="latmix-stalls-") as home:
        os.environ["LATMIX_HOME"] = home
        found = asyncio.run(measure(Path(sys.argv[1])))
    print(json.dumps({"yardstick": max(before, yardstick()), **found}))
