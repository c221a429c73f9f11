"""Mixtures of so many pictures that their statistics take a moment: the screen does not wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from latmix.mixing import live
from latmix.tui.dialogs.method import MethodDialog
from tests.support.driver import opened


async def test_statistics_that_are_not_instant_come_from_the_desk_and_follow_edits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "INSTANT", 2)
    async with opened(folder, count=4) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        await driver.until_shown("effective N 4.00")
        assert driver.finished("weigh")
        await driver.press("s")
        await driver.until_shown("effective N 1.00")
        await driver.press("u")
        await driver.until_shown("effective N 4.00")
        await driver.press("space")
        await driver.until_shown("effective N 3.00")


async def test_the_grid_of_methods_opens_at_once_on_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latmix.tui.actions.making.COMPARED_AT_MOST", 3)
    async with opened(folder, count=4) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        await driver.press("m")
        await driver.until(lambda: isinstance(driver.app.screen, MethodDialog))
        assert "would damage" not in driver.text
