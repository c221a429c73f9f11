"""Garbage is looked for while nobody types."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

from latmix.tui.terminal.garbage import DUE
from tests.support.driver import opened


async def test_no_full_collection_comes_between_keys_but_one_in_a_quiet_moment(
    folder: Path,
) -> None:
    usual, full = gc.get_threshold(), []

    def note(phase: str, info: dict[str, Any]) -> None:
        if phase == "start" and info["generation"] == 2:
            full.append(info)

    async with opened(folder, count=2) as driver:
        gc.callbacks.append(note)
        try:
            await driver.press("m", "escape", "question_mark", "escape", "comma", "escape")
            driver.app.garbage.collect_if_quiet()
            assert not full
            driver.app.garbage.quiet = 0.0
            await driver.until(lambda: gc.isenabled())
            while gc.get_count()[2] <= DUE:
                gc.collect(1)
            driver.app.garbage.collect_if_quiet()
            assert len(full) == 1
            driver.app.garbage.collect_if_quiet()
            assert len(full) == 1, "there is nothing new to look for"
        finally:
            gc.callbacks.remove(note)
    assert gc.get_threshold() == usual
