"""Makes the README's pictures of the terminal UI: `python -m tests.tui.screenshots [FOLDER]`.

Three: the explorer with a mixture's picture, results and statistics; methods side by side; a sweep.

Drives the real program on built-in pictures and the built-in model, and writes SVG files.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from latmix import demo
from latmix.tui.pictures.variants import VariantsScreen
from tests.support import driver as driving
from tests.support.driver import Driver, opened

PLACE = Path(__file__).parent / "screenshots"
SIZE = (116, 36)
CHOICES = {"steps": 12, "size": None, "solver": "fixed-point", "prompt": demo.prompt("faces")}


def keep(driver: Driver, place: Path, name: str) -> None:
    svg = driver.app.export_screenshot(title="latmix explore")
    (place / f"{name}.svg").write_text(svg, encoding="utf-8")


async def make(place: Path) -> None:
    """The explorer, methods side by side, and a sweep over N."""
    place.mkdir(parents=True, exist_ok=True)
    folder = Path.home() / "faces"
    shutil.copytree(demo.folder("faces"), folder)
    async with opened(folder, SIZE, count=4, choices=CHOICES) as driver:
        for edits in ((), ("L", "L"), ("j", "j", "L", "L", "L")):
            before = len(driver.session.results)
            await driver.press(*edits, "g")
            await driver.until(lambda count=before: len(driver.session.results) > count)
            await driver.until_idle()
        await driver.until_shown("mixture: ", "bias by √N")
        strip = driver.app.history
        await driver.until(lambda: all(strip.small.read.get(p) for p in driver.session.results))
        await driver.pilot.pause(0.5)
        keep(driver, place, "explore")
        await keep_drafts(driver, place, "c", "compare")
        await driver.press("N", *"16", "enter")
        await keep_drafts(driver, place, "S", "sweep")


async def keep_drafts(driver: Driver, place: Path, key: str, name: str) -> None:
    await driver.press(key)
    await driver.until(lambda: isinstance(driver.app.screen, VariantsScreen))
    await driver.until(lambda: driver.app.screen.variants)
    await driver.pilot.pause(0.5)
    keep(driver, place, name)
    await driver.press("escape")


def main() -> None:
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else PLACE
    os.environ.pop("NO_COLOR", None)
    driving.PATIENCE = 300.0
    with tempfile.TemporaryDirectory() as home:
        # Its folders lie below a home of their own, so that no path of this machine is shown.
        os.environ |= {"HOME": home, "LATMIX_HOME": f"{home}/latmix"}
        os.environ["LATMIX_CONFIG"] = f"{home}/config.toml"
        asyncio.run(make(place))


if __name__ == "__main__":
    main()
