"""The list: filter, order, folders, marks, small pictures, and the mouse."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from latmix.config import load_config
from latmix.session import saved
from latmix.tui.listing.arrangement import Heading
from latmix.tui.listing.picture_rows import Columns
from latmix.tui.listing.picture_view import HIGH, LOW
from tests.support.driver import Driver, opened


def names(driver: Driver) -> list[str]:
    """The rows, folders with their count."""
    return [
        f"{row.folder.name}/{row.count}" if isinstance(row, Heading) else row.name
        for row in driver.app.pictures.arrangement.rows
    ]


@pytest.fixture
def folders(folder: Path) -> Path:
    """The six pictures, three of them in two folders."""
    for place, index in (("cats", 0), ("cats", 1), ("dogs", 2)):
        (folder / place).mkdir(exist_ok=True)
        (folder / f"face-{index}.png").rename(folder / place / f"face-{index}.png")
    return folder


async def test_words_filter_the_list_as_they_are_typed_and_escape_clears_them(
    folder: Path,
) -> None:
    shutil.copy(folder / "face-0.png", folder / "Grin Noto.png")
    async with opened(folder, count=2) as driver:
        await driver.press("end", "slash", *"FACE", "space", "5")
        await driver.until_shown("/ FACE 5", "1 of 7 shown", "enter keeps, esc")
        assert names(driver) == ["face-5.png"]
        await driver.press("backspace", "3", "enter", "l")
        assert names(driver) == ["face-3.png"]
        assert driver.session.mixture.weight(str(folder / "face-3.png")) == pytest.approx(0.01)
        await driver.until_shown("/ FACE 3  esc clears")
        await driver.press("escape")
        assert len(names(driver)) == 7
        assert driver.app.pictures.current == folder / "face-3.png"
        await driver.press("slash", *"no such", "slash")
        await driver.until_shown("No picture has these words", "0 of 7 shown")
        await driver.press("escape")
        assert driver.app.pictures.current == folder / "face-3.png"
        assert "shown" not in driver.text


async def test_letters_typed_at_once_after_the_slash_are_never_commands(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        for key in ("slash", *"gixs0q", "backspace", "escape", "j", "s"):
            driver.app.simulate_key(key)
        await driver.until(lambda: driver.weights == [0, 1])
        assert not driver.app.work.is_busy
        assert driver.app.is_running


async def test_the_list_is_ordered_by_weight_and_follows_it(folder: Path) -> None:
    async with opened(folder, count=3) as driver:
        await driver.press("j", "l", "O")
        assert "Ordered by weight" in driver.said
        assert names(driver)[0] == "face-1.png"
        assert driver.app.pictures.current == folder / "face-1.png"
        await driver.press("end", "6", "0", "enter")
        assert names(driver)[:2] == ["face-5.png", "face-1.png"]
        assert driver.app.pictures.current == folder / "face-5.png"
        await driver.press("O")
        assert "Ordered by name" in driver.said
        assert names(driver) == [f"face-{at}.png" for at in range(6)]


async def test_inverted_pictures_are_ordered_by_norm_with_the_norm_beside_them(
    folder: Path,
) -> None:
    async with opened(folder, (120, 40), count=4, choices={"solver": "fixed-point"}) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        await driver.press("O", "O")
        await driver.until_shown("norm↓")
        values = driver.app.pictures.arrangement.values
        shown = [values[str(row)] for row in driver.app.pictures.arrangement.rows[:4]]
        assert shown == sorted(shown, reverse=True)
        assert len(values) == 4
        assert f"{shown[0]:.3f}" in driver.lines[2]


async def test_folders_stand_under_headings_that_fold(folders: Path) -> None:
    async with opened(folders, (120, 40), recursive=True, count=1) as driver:
        await driver.press("Z")
        groups = {"cats/2": (0, 1), "dogs/1": (2,), "pictures/3": (3, 4, 5)}
        shown = [f"face-{at}.png" for group in groups.values() for at in group]
        assert sorted(names(driver)) == sorted([*groups, *shown])
        await driver.press("home")
        await driver.until_shown(">▾ ", "enter or z folds it")
        heading = driver.app.pictures.row
        assert isinstance(heading, Heading)
        await driver.press("l")
        await driver.until_shown(">▸ ")
        assert len(names(driver)) == 9 - heading.count
        await driver.press("enter", "j", "z")
        assert len(names(driver)) == 9 - heading.count
        assert driver.app.pictures.row == Heading(heading.folder, heading.count, True)
        await driver.press("h", "a", "space")
        assert {Path(key).parent for key in driver.session.mixture.keys} == {heading.folder}
        assert len(driver.weights) == heading.count
        await driver.press("Z")
        assert len(names(driver)) == 6


async def test_keys_act_on_marked_pictures_together(folder: Path) -> None:
    async with opened(folder, (120, 40), count=4) as driver:
        await driver.press("a", "a", "end", "a")
        await driver.until_shown("3 marked", " ● +face-0.png", ">  +face-5.png")
        await driver.press("space")
        assert len(driver.weights) == 5
        assert "3 marked pictures taken in" in driver.said
        await driver.press("0")
        assert driver.weights == pytest.approx([0, 0, 0.5, 0.5, 0])
        await driver.press("u", "home", "4", "0", "enter", "equals_sign")
        assert driver.weights[0] == pytest.approx(driver.weights[1])
        assert driver.weights[2] == pytest.approx(0.15)
        await driver.press("asterisk")
        assert len(driver.session.mixture.pinned) == 3
        await driver.press("Y")
        copied = driver.app.clipboard.split()
        assert [Path(path).name for path in copied] == ["face-0.png", "face-1.png", "face-5.png"]
        await driver.press("space")
        assert driver.weights == pytest.approx([0.5, 0.5])
        await driver.press("escape")
        assert "3 marked" not in driver.text
        await driver.press("A")
        await driver.until_shown("6 marked")
        await driver.press("A", "u")
        assert len(driver.weights) == 5


async def test_tall_rows_show_small_pictures_of_what_is_in_sight(folder: Path) -> None:
    (folder / "broken.png").write_text("no picture")
    async with opened(folder, (100, 30), count=2) as driver:
        assert driver.app.pictures._painter.lines == LOW
        await driver.press("T")
        await driver.until(lambda: len(driver.app.pictures.small.read) == 7)
        assert driver.app.pictures.small.read[folder / "broken.png"] is None
        # The rows take HIGH lines each, with pictures as wide as they are high.
        await driver.until(lambda: driver.lines[6].startswith("▀" * 2 * HIGH))
        await driver.until_shown("in the mixture")
        await driver.press("end")
        assert driver.app.pictures.scroll_offset.y > 0
        await driver.press("T")
        assert driver.app.pictures._painter.lines == LOW


async def test_only_pictures_that_come_into_sight_are_read(tmp_path: Path, folder: Path) -> None:
    place = tmp_path / "many"
    place.mkdir()
    for index in range(300):
        os.link(folder / "face-0.png", place / f"{index:03}.png")
    async with opened(place, (100, 30)) as driver:
        await driver.press("T", "end")
        await driver.until(lambda: place / "299.png" in driver.app.pictures.small.read)
        assert len(driver.app.pictures.small.read) < 30


async def test_the_mouse_moves_takes_in_marks_and_sets_weights(folder: Path) -> None:
    async with opened(folder, count=4) as driver:
        pictures, pilot = driver.app.pictures, driver.pilot
        await driver.until(lambda: pictures.columns.width > 0)
        columns: Columns = pictures.columns
        await pilot.click(pictures, offset=(8, 3))
        assert pictures.cursor == 3
        await pilot.click(pictures, offset=(1, 5))
        assert len(driver.weights) == 5
        await pilot.click(pictures, offset=(8, 1), control=True)
        assert pictures.arrangement.marked == {str(folder / "face-1.png")}
        await driver.press("A")
        bar, half = columns.bar_at, columns.bar // 2
        before = driver.weights[0]
        await pilot.mouse_down(pictures, offset=(bar + half - 1, 0))
        await driver.until(lambda: driver.weights[0] < before)
        assert driver.weights[0] == pytest.approx(before * half / columns.bar, abs=1e-3)
        for x in (bar + 1, bar + columns.bar - 1, bar - 3):
            # All the way up is where it was: no edit, and none to take back.
            await pilot.hover(pictures, offset=(x, 0))
            await pilot.pause(0.05)
        await driver.until(lambda: driver.weights[0] == 0)
        await pilot.mouse_up(pictures, offset=(bar - 3, 0))
        await pilot.hover(pictures, offset=(bar + 5, 0))
        assert driver.weights[0] == 0
        await driver.press("u")
        assert driver.weights[0] == pytest.approx(before)


async def test_a_narrow_list_keeps_its_columns_and_a_wide_one_shows_more(folder: Path) -> None:
    for width in (28, 36, 60, 200):
        for has_value in (False, True):
            for lines in (LOW, HIGH):
                columns = Columns(width, has_value, lines)
                assert columns.bar_at + columns.bar <= width
                assert columns.share_at(columns.bar_at - 1) is None
                assert columns.share_at(columns.bar_at + columns.bar - 1) == 1
    async with opened(folder, (60, 20), count=3) as driver:
        await driver.until_shown("face-0.png", "0.333")
        for said in ("h/l weight", "? help", "q quit"):
            assert said in driver.lines[-1]


async def test_order_groups_folds_marks_and_small_pictures_are_kept(folders: Path) -> None:
    async with opened(folders, recursive=True) as driver:
        await driver.press("O", "a", "a", "Z", "end", "z", "T")
        before = driver.app.pictures.arrangement
        assert (len(before.marked), len(before.folded)) == (2, 1)
        saved.save(driver.session, load_config().session_file)
    async with opened(folders, recursive=True) as driver:
        after = driver.app.pictures.arrangement
        assert after.kept() == before.kept()
        assert after.order == "weight"
        assert after.rows == before.rows
        assert driver.app.pictures.columns.picture
        assert "2 marked" in driver.text
    async with opened(folders / "cats") as driver:
        other = driver.app.pictures.arrangement
        assert (other.order, other.is_grouped) == ("weight", True)
        assert other.marked <= before.marked
    async with opened(folders, recursive=True, fresh=True) as driver:
        assert driver.app.pictures.arrangement.order == "name"
