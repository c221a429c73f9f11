"""The main states, as text: what stands on the screen at two sizes, in three themes.

Captures are kept in `states/`; `LATMIX_STATES=write` makes them anew. Only what the results and the
choices draw is captured, so that they change with nothing else. Pictures are shown by their place.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from textual.widget import Widget

from latmix.tui.dialogs.method import MethodDialog
from latmix.tui.dialogs.settings import SettingsDialog
from latmix.tui.variants import VariantsScreen
from tests.tui.driver import Driver, opened

STATES = Path(__file__).parent / "states"
SIZES = [(80, 24), (120, 40)]
THEMES = ["latmix-dark", "latmix-paper", "latmix-terminal"]


def cropped(driver: Driver, widget: Widget) -> str:
    """What is painted where a widget is; times are left out."""
    region = widget.region
    rows = driver.lines[region.y : region.bottom]
    text = "\n".join(row[region.x : region.right].rstrip() for row in rows)
    return re.sub(r"in [0-9.]+ s", "in … s", text) + "\n"


def assert_state(driver: Driver, widget: Widget, name: str) -> None:
    width, height = driver.app.size
    file = STATES / f"{name}-{width}x{height}.txt"
    shown = cropped(driver, widget)
    if os.environ.get("LATMIX_STATES") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
async def test_dialogs_look_as_they_did(
    folder: Path, size: tuple[int, int], theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATMIX_THEME", theme)
    async with opened(folder, size, count=3) as driver:
        assert driver.app.theme == theme
        for key, kind, name in (("m", MethodDialog, "method"), ("comma", SettingsDialog, "form")):
            await driver.press(key)
            await driver.until(lambda kind=kind: isinstance(driver.app.screen, kind))
            await driver.pilot.pause()
            assert_state(driver, driver.app.screen.query_one(".dialog"), name)
            await driver.press("escape")


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
async def test_results_and_drafts_look_as_they_did(folder: Path, size: tuple[int, int]) -> None:
    async with opened(folder, size, count=3) as driver:
        for count in (1, 2):
            await driver.press("g")
            await driver.until(lambda count=count: len(driver.session.results) == count)
            await driver.until_idle()
        await driver.press("plus", "less_than_sign")
        strip = driver.app.history
        await driver.until(lambda: all(strip._pictures.get(p) for p in driver.session.results))
        await driver.pilot.pause()
        assert_state(driver, strip, "strip")
        await driver.press("c")
        await driver.until(lambda: isinstance(driver.app.screen, VariantsScreen))
        await driver.until(lambda: driver.app.screen.variants)
        await driver.pilot.pause()
        names = [wanted.name for wanted in driver.app.screen.wanted]
        rows = [line.split() for line in driver.lines if "/" in line and "hjkl" not in line]
        assert [word.lstrip(">") for row in rows for word in row if "/" in word] == names
        assert len(driver.lines) == size[1]
        assert all(len(line) == size[0] for line in driver.lines)
