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

from tests.support.driver import opened
from tests.tui.stalls import yardstick

LONGEST_ANSWER = 0.1
"""Seconds of the loop's own processor time from a key to the painted screen at 10,000 pictures:
twice what the slowest may take."""

LONGEST_STALL = 1.0
"""Seconds; on a quiet machine 0.18, and tests share theirs with others."""

MOST_AT_ONCE = 0.1
"""Seconds of the loop's own processor time without a chance for a key, on a processor as quick as
the one of `YARDSTICK`."""

YARDSTICK = 0.012
"""Seconds that `stalls.yardstick` takes on a quiet AMD EPYC (Zen 3)."""

TRIES = 2
"""A turn that is too long is so every time; what others do to a processor's caches is not."""

STORIES = {"open", "import torch", "choose", "invert", "edit", "generate", "compare", "sweep"}
STORIES |= {"results", "quit"}


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


def slowness(seconds: float) -> float:
    """How much slower than that of `YARDSTICK` a processor is, by what the yardstick took."""
    return max(1.0, seconds / YARDSTICK)


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
        await driver.until(lambda: driver.app.jobs.setting)
        for name, key in KEYS:
            before = time.thread_time()
            await driver.press(key)
            spent = time.thread_time() - before
            record_property(f"{name.replace(' ', '_')}_seconds", round(spent, 3))
            print(f"{name}: {spent * 1000:.0f} ms")
            assert spent < LONGEST_ANSWER * slowness(yardstick()), name


def test_the_loop_never_stands_still_for_long_in_any_story(
    folder: Path, record_property: pytest.RecordProperty
) -> None:
    for left in reversed(range(TRIES)):
        ended = subprocess.run(
            [sys.executable, "-m", "tests.tui.stalls", str(folder)], capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr
        found = json.loads(ended.stdout)
        most = MOST_AT_ONCE * slowness(found.pop("yardstick"))
        assert found.keys() == STORIES
        for story, seconds in found.items():
            record_property(f"stall_in_{story.replace(' ', '_')}", round(seconds["stall"], 3))
            print(f"{story}: stall {seconds['stall']:.3f} s, own {seconds['own']:.3f} s")
        long = {story: s for story, s in found.items() if s["own"] > most}
        assert max(seconds["stall"] for seconds in found.values()) < LONGEST_STALL
        if not long:
            return
        assert left, f"without a chance for a key for more than {most:.3f} s: {long}"
