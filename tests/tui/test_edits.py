"""Pins, bookmarks, and weights in writing: each can be undone, and survives the session."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from latmix.config import load_config
from latmix.session import saved
from latmix.session.weight_tables import match_weights, read_weights
from latmix.tui.dialogs.reading import NoticeDialog
from latmix.tui.dialogs.text_entry import FileDialog
from tests.support.driver import Driver, opened


async def paste(driver: Driver, text: str) -> None:
    driver.app.post_message(events.Paste(text))
    await driver.pilot.pause()


async def type_path(driver: Driver, path: Path) -> None:
    await driver.until(lambda: isinstance(driver.app.screen, FileDialog))
    driver.app.screen.query_one(Input).value = str(path)
    await driver.press("enter")


async def test_a_pinned_picture_keeps_its_weight_whatever_key_comes(folder: Path) -> None:
    async with opened(folder, count=4) as driver:
        await driver.press("4", "0", "enter", "asterisk")
        await driver.until_shown("0.400*", "1 pinned 0.400", "Σ 1.000")
        assert "face-0.png pinned" in driver.said
        for keys in (["j", "L"], ["s"], ["equals_sign"], ["x"], ["j", "0"], ["end", "space"]):
            await driver.press(*keys)
            assert driver.weights[0] == pytest.approx(0.4), keys
            assert sum(driver.weights) == pytest.approx(1)
        await driver.press("home", "h")
        assert driver.weights[0] == pytest.approx(0.39)
        await driver.press("asterisk")
        assert "no longer pinned" in driver.said
        await driver.press("u")
        assert driver.session.mixture.pinned == {str(folder / "face-0.png")}
        saved.save(driver.session, load_config().session_file)
        weights = driver.weights
    async with opened(None) as driver:
        assert driver.weights == pytest.approx(weights)
        await driver.until_shown("0.390*")


async def test_keys_say_why_a_weight_stays_where_all_others_are_pinned(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("asterisk", "j", "L")
        assert driver.weights == pytest.approx([0.5, 0.5])
        assert "Pinned pictures keep their weight" in driver.said or driver.app.pictures.cursor == 1


async def test_bookmarks_are_walked_through_and_undone(folder: Path) -> None:
    async with opened(folder, count=3) as driver:
        await driver.press("right_square_bracket")
        assert "B sets one" in driver.said
        await driver.press("B", "s", "B", "x")
        drawn = driver.weights
        await driver.until_shown("2 bookmarked")
        await driver.press("right_square_bracket")
        assert driver.weights == pytest.approx([1 / 3] * 3)
        assert "Bookmark 1 of 2" in driver.said
        await driver.press("left_square_bracket")
        assert driver.weights == [1, 0, 0]
        await driver.press("u", "u")
        assert driver.weights == drawn
        saved.save(driver.session, load_config().session_file)
    async with opened(None) as driver:
        await driver.press("right_square_bracket", "B")
        assert "Bookmark removed" in driver.said
        await driver.until_shown("1 bookmarked")


async def test_weights_go_out_as_text_and_come_back_by_paste(folder: Path) -> None:
    async with opened(folder, count=4) as driver:
        await driver.press("x", "C")
        weights, copied = driver.weights, driver.app.clipboard
        assert copied.startswith("name,weight\nface-0.png,")
        await driver.press("equals_sign")
        await paste(driver, copied)
        await driver.until(lambda: driver.weights == pytest.approx(weights))
        assert "4 weights from the pasted text" in driver.said
        await paste(driver, "-w face-5=3 -w face-1.png=1")
        await driver.until(lambda: driver.weights == pytest.approx([0.25, 0.75]))
        await driver.press("u")
        assert driver.weights == pytest.approx(weights)
        await paste(driver, "no weights at all")
        await driver.until(lambda: isinstance(driver.app.screen, NoticeDialog))
        await driver.until_shown("The text holds no weights", "name,weight")
        await paste(driver, "face-0,1")
        await driver.press("escape", "l")
        assert len(driver.weights) == 4


async def test_weights_are_written_to_a_file_that_the_command_line_reads(
    folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.csv"
    async with opened(folder, count=3) as driver:
        await driver.press("L", "X")
        await type_path(driver, file)
        await driver.until(lambda: "3 weights written" in driver.said)
        read = match_weights(read_weights(file), driver.session.pictures)
        assert list(read.values()) == pytest.approx(driver.weights)
        weights = driver.weights
        await driver.press("s", "X")
        await type_path(driver, file)
        await driver.until_shown("enter again replaces it")
        await driver.press("escape", "I")
        await type_path(driver, tmp_path / "gone.csv")
        await driver.until_shown("There is no file")
        driver.app.screen.query_one(Input).value = str(file)
        await driver.press("enter")
        await driver.until(lambda: driver.weights == pytest.approx(weights))
        assert "3 weights from mine.csv" in driver.said
        (tmp_path / "bad.csv").write_text("face-0.png,much\n")
        await driver.press("I")
        await type_path(driver, tmp_path / "bad.csv")
        await driver.until_shown("The weight much of face-0.png cannot be used")
        await driver.press("escape")
        assert driver.weights == pytest.approx(weights)


async def test_the_paths_of_marked_pictures_are_written_one_a_line(
    folder: Path, tmp_path: Path
) -> None:
    async with opened(folder, count=3) as driver:
        await driver.press("j", "a", "a", "X")
        await type_path(driver, tmp_path / "paths.txt")
        await driver.until(lambda: "2 paths written" in driver.said)
    written = (tmp_path / "paths.txt").read_text().splitlines()
    assert written == [str(folder / "face-1.png"), str(folder / "face-2.png")]
