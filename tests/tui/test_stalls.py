"""The screen's loop goes on while torch is imported and while pictures are inverted and made."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
