"""Which picture is shown, and how the line under the cursor is drawn."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from textual.widget import Widget

from latmix.config import load_config
from latmix.session import saved
from latmix.session.machine import Machine
from latmix.tui import ExploreOptions, make_start
from latmix.tui.app import ExploreApp
from latmix.tui.pictures.pixels import _widget, find_pixels
from tests.support.driver import opened, running


async def test_the_next_start_shows_the_last_picture_that_was_made(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("g")
        await driver.until(lambda: driver.finished("generate"))
        [made] = driver.session.results
        saved.save(driver.session, load_config().session_file)
    async with opened(None) as driver:
        assert "Resumed: 2 pictures" in driver.said
        await driver.until_shown(f"mixture: {made.name}", "▀▀▀▀▀▀▀▀")
        await driver.until(lambda: driver.finished("thumbnail"))
        assert driver.app.pane.path == made
        await driver.press("v")
        await driver.until_shown("face-0.png")
        assert driver.app.pane.path == driver.session.pictures[0]


class Pixels(Widget):
    """Stands for what textual-image shows pixels with: it has only an `image`."""

    image: Image.Image | None = None


async def test_where_the_terminal_has_pixels_they_take_the_place_of_half_blocks(
    folder: Path,
) -> None:
    start = make_start(
        ExploreOptions(folder=folder, model="mini", machine=Machine("cpu")), load_config()
    )
    async with running(ExploreApp(replace(start, pixels=Pixels)), (80, 24)) as driver:
        await driver.until(lambda: driver.app.screen.query_one(Pixels).image)
        assert driver.app.screen.query_one(Pixels).image is driver.app.pane.image
        assert "▀▀▀" not in driver.text
        await driver.press("v")
        await driver.until_shown("No picture of the mixture yet")
        assert not driver.app.screen.query_one(Pixels).display


def test_pixels_are_only_used_where_they_are_better(monkeypatch: pytest.MonkeyPatch) -> None:
    renderable = SimpleNamespace(SixelImage=object(), TGPImage=object(), HalfcellImage=object())
    widgets = SimpleNamespace(Image=Pixels)
    assert _widget(renderable.SixelImage, renderable, widgets) is Pixels
    assert _widget(renderable.TGPImage, renderable, widgets) is Pixels
    assert _widget(renderable.HalfcellImage, renderable, widgets) is None
    monkeypatch.setenv("LATMIX_PIXELS", "0")
    assert find_pixels() is None
    monkeypatch.delenv("LATMIX_PIXELS")
    monkeypatch.setitem(sys.modules, "textual_image", None)
    assert find_pixels() is None


async def test_the_cursor_and_the_focus_are_where_they_were_left(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("g")
        await driver.until(lambda: driver.session.results)
        await driver.press("end", "w")
        await driver.until(lambda: driver.session.view["picture"])
        saved.save(driver.session, load_config().session_file)
    async with opened(None) as driver:
        await driver.until(lambda: driver.app.pictures.cursor == 5)
        assert driver.app.history.has_focus
        await driver.until(lambda: driver.app.pane.shows_mixture)


async def test_the_cursor_reverses_words_and_leaves_the_bar_as_it_is(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        mixed = driver.app.pictures.render_line(0)
        bars = [segment for segment in mixed if "█" in segment.text]
        words = [segment for segment in mixed if "face-0" in segment.text]
        assert all(segment.style and segment.style.reverse for segment in words)
        assert bars
        assert not any(segment.style and segment.style.reverse for segment in bars)
        await driver.press("end")
        outside = driver.app.pictures.render_line(5)
        assert all(segment.style and segment.style.reverse for segment in outside)
