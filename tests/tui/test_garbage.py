"""Garbage is looked for while nobody types."""

from __future__ import annotations

import gc
import math
from pathlib import Path
from typing import Any

from latmix.jobs.imports import import_networks, import_numerics
from latmix.models.source import find_model
from latmix.tui.terminal.garbage import DUE
from tests.support.driver import opened


def make_due() -> None:
    """Let there be enough smaller collections, however many there were in this process."""
    while gc.get_count()[2] <= DUE:
        gc.collect(1)


async def test_no_full_collection_comes_between_keys_but_one_in_a_quiet_moment(
    folder: Path,
) -> None:
    usual, full = gc.get_threshold(), []

    def note(phase: str, info: dict[str, Any]) -> None:
        if phase == "start" and info["generation"] == 2:
            full.append(info)

    # Imports allow no collection: what they take on a busy machine is not waited for below.
    import_numerics()
    import_networks(find_model("mini").networks.values())
    async with opened(folder, count=2) as driver:
        garbage = driver.app.garbage
        await driver.until(lambda: driver.finished("warm_up"))
        make_due()
        garbage.quiet = math.inf  # however long a busy machine takes between two keys
        gc.callbacks.append(note)
        try:
            await driver.press("m", "escape", "question_mark", "escape", "comma", "escape")
            garbage.collect_if_quiet()
            assert not full
            # From here on there is no turn of the loop in which the app would look by itself.
            garbage.quiet = 0.0
            make_due()
            garbage.collect_if_quiet()
            assert len(full) == 1
            garbage.collect_if_quiet()
            assert len(full) == 1, "there is nothing new to look for"
        finally:
            gc.callbacks.remove(note)
    assert gc.get_threshold() == usual
