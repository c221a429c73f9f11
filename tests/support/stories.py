"""Stories of the explorer, from its start to its end, for what is measured of the screen's loop."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from latmix.session.machine import Machine
from latmix.tui.pictures.variants import VariantsScreen
from tests.support.driver import Driver

STORIES = ("open", "import torch", "choose", "invert", "edit", "generate", "compare", "sweep")
STORIES += ("results", "quit")

OPTIONS: dict[str, Any] = {
    "count": 4,
    "machine": Machine("cpu", batch=2),
    "choices": {"steps": 6},
}
"""Of the explorer in which the stories are played."""

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
"""Keys by what they do, in a folder of ten thousand pictures."""


def many_pictures(place: Path, picture: Path) -> Path:
    """A folder with ten folders of a thousand pictures each, all of them one file."""
    for number in range(10):
        (place / str(number)).mkdir(parents=True)
    first = place / "0" / "0.png"
    shutil.copy(picture, first)
    for index in range(1, 10_000):
        os.link(first, place / str(index % 10) / f"{index}.png")
    return place


async def play(driver: Driver, note: Callable[[str], None]) -> None:
    """Every story, one after the other; what each is called is told when it has ended."""
    app, session = driver.app, driver.session

    def ended(story: str) -> None:
        note(story)
        driver.messages.clear()  # the program keeps none of them, and garbage would be sought there

    await driver.until(lambda: session.pictures)
    ended("open")
    await driver.until(lambda: app.jobs.working_model)
    ended("import torch")
    await driver.press("N", "3", "enter", "m", "escape", "comma", "escape", "p", "escape")
    ended("choose")
    await driver.press("i")
    await driver.until(lambda: session.is_measured)
    ended("invert")
    await driver.press(*"lljLxsu", "equals_sign", "V", "escape")
    ended("edit")
    for count in (1, 2):
        await driver.press("l", "g")
        await driver.until(lambda count=count: len(session.results) == count)
        await driver.until_idle()
    ended("generate")
    for key, story in (("c", "compare"), ("S", "sweep")):
        await driver.press(key)
        await driver.until(lambda: isinstance(app.screen, VariantsScreen) and app.screen.variants)
        await driver.press("right", "escape")
        ended(story)
    await driver.press("less_than_sign", "w", "l", "w", "d")
    await driver.until(lambda: driver.finished("diff"))
    await driver.press("escape", "r")
    await driver.until(lambda: driver.finished("revisit"))
    ended("results")
    await driver.press("q")
    ended("quit")
