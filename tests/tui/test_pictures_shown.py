"""Which picture is shown, and how the line under the cursor is drawn."""

from __future__ import annotations

from pathlib import Path

from latmix.config import load_config
from tests.tui.driver import opened


async def test_the_next_start_shows_the_last_picture_that_was_made(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("g")
        await driver.until(lambda: driver.finished("generate"))
        [made] = driver.session.results
        driver.session.save(load_config().session_file)
    async with opened(None) as driver:
        assert "Resumed: 2 pictures" in driver.said
        await driver.until_shown(f"mixture: {made.name}", "▀▀▀▀▀▀▀▀")
        await driver.until(lambda: driver.finished("thumbnail"))
        assert driver.app.pane.path == made
        await driver.press("v")
        await driver.until_shown("face-0.png")
        assert driver.app.pane.path == driver.session.pictures[0]


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
