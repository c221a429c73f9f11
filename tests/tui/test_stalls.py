"""The screen's loop goes on while torch is imported and while pictures are inverted and made, and
answers keys at once however many pictures there are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tui.driver import opened

LONGEST_ANSWER = 0.25
"""Seconds of the loop's own processor time from a key to the painted screen at 10,000 pictures:
several times what they take, for machines that are slow."""

LONGEST_STALL = 1.0
"""Seconds; on a quiet machine it is a tenth of that, and tests share theirs with others."""

MEASURE = """
import asyncio, json, sys, time
from itertools import pairwise
from pathlib import Path
from latmix.config import load_config
from latmix.tui import ExploreOptions, make_start
from latmix.tui.app import ExploreApp

async def main():
    options = ExploreOptions(
        folder=Path(sys.argv[1]), model="mini", device="cpu", count=4, batch=2,
        choices={"steps": 6, "size": (32, 32), "solver": "ddim"},
    )
    app = ExploreApp(make_start(options, load_config()))
    beats = []

    async def beat():
        while True:
            beats.append(time.monotonic())
            await asyncio.sleep(0.002)

    def longest():
        stall = max(after - before for before, after in pairwise(beats))
        beats.clear()
        return stall

    async with app.run_test() as pilot:
        heart = asyncio.create_task(beat())
        while app.work.setting is None:
            await pilot.pause(0.01)
        importing = longest()
        await pilot.press("g")
        while not app.choices_of:
            await pilot.pause(0.01)
        working = longest()
        heart.cancel()
    app.work.close(60)
    print(json.dumps({"importing": importing, "working": working}))

asyncio.run(main())
"""


KEYS = (
    ("down", "j"),
    ("nudge", "l"),
    ("solo", "s"),
    ("equal", "equals_sign"),
    ("random", "x"),
    ("undo", "u"),
    ("order by weight", "O"),
    ("nudge in order", "l"),
    ("order by name", "O"),
    ("mark all", "A"),
    ("take all in", "space"),
    ("pin all", "asterisk"),
    ("let all loose", "asterisk"),
    ("unmark", "A"),
    ("nudge one of 10,000", "l"),
    ("filter", "slash"),
    ("filter 9", "9"),
    ("filter 99", "9"),
    ("clear the filter", "escape"),
    ("group", "Z"),
    ("fold", "z"),
    ("end", "end"),
)


async def test_keys_are_answered_at_once_at_ten_thousand_pictures(
    tmp_path: Path, faces: list[Path], record_property: pytest.RecordProperty
) -> None:
    place = tmp_path / "many"
    for number in range(10):
        (place / str(number)).mkdir(parents=True)
    first = place / "0" / "0.png"
    shutil.copy(faces[0], first)
    for index in range(1, 10_000):
        os.link(first, place / str(index % 10) / f"{index}.png")
    async with opened(place, (120, 40), recursive=True) as driver:
        await driver.until(lambda: driver.app.work.setting)
        for name, key in KEYS:
            before = time.thread_time()
            await driver.press(key)
            spent = time.thread_time() - before
            record_property(f"{name.replace(' ', '_')}_seconds", round(spent, 3))
            print(f"{name}: {spent * 1000:.0f} ms")
            assert spent < LONGEST_ANSWER, name


def test_the_loop_never_stands_still_for_long(
    folder: Path, record_property: pytest.RecordProperty
) -> None:
    # In a process of its own, where torch is not imported yet.
    ended = subprocess.run(
        [sys.executable, "-c", MEASURE, str(folder)], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    stalls = json.loads(ended.stdout)
    for name, seconds in stalls.items():
        record_property(f"longest_stall_{name}_seconds", round(seconds, 3))
        print(f"longest stall while {name}: {seconds * 1000:.0f} ms")
        assert seconds < LONGEST_STALL, name
