"""Results: the row of what was made, and what the keys do with it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from latmix.config import load_config
from latmix.mixing.grid import DEFAULT_METHOD
from latmix.results.recipes import read_recipe
from latmix.session import saved
from latmix.session.machine import Machine
from latmix.tui.actions.folders import open_folder
from latmix.tui.dialogs.folder import FolderChosen
from latmix.tui.dialogs.reading import DifferencesDialog, NoticeDialog
from latmix.tui.dialogs.text_entry import ExportDialog
from latmix.tui.pictures.history_strip import HistoryStrip
from tests.support.driver import Driver, opened


def strip(driver: Driver) -> HistoryStrip:
    return driver.app.screen_stack[0].query_one(HistoryStrip)


async def make(driver: Driver, *edits: str) -> Path:
    """Press some keys, then make a picture."""
    before = len(driver.session.results)
    await driver.press(*edits, "g")
    await driver.until(lambda: len(driver.session.results) > before)
    await driver.until_idle()
    return driver.session.results[-1]


async def test_without_results_their_keys_say_how_to_make_one(folder: Path) -> None:
    async with opened(folder) as driver:
        assert not strip(driver).display
        for key in ("less_than_sign", "w", "plus", "E", "r"):
            driver.app.say("-")
            await driver.press(key)
            assert driver.said == "No results yet: g makes one."
        await driver.press("d")
        assert "Two results are needed" in driver.said


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_results_stand_in_a_row_newest_first_and_the_keys_walk_over_them(
    folder: Path, size: tuple[int, int]
) -> None:
    async with opened(folder, size, count=2) as driver:
        made = [await make(driver), await make(driver, "L"), await make(driver, "L")]
        row = strip(driver)
        assert row.display
        assert row.newest_first == made[::-1]
        assert driver.session.shown == made[2]
        await driver.until(lambda: all(row.small.read.get(path) for path in made))
        await driver.press("less_than_sign")
        assert driver.session.shown == made[1]
        await driver.until(lambda: driver.app.pane.path == made[1])
        await driver.press("w", "right")
        assert row.has_focus
        assert driver.session.shown == made[0]
        assert driver.weights[0] == pytest.approx(0.7), "arrows change no weight here"
        await driver.press("end")
        row._first = 2  # as before it was laid out
        row.show()
        assert row._in_sight() == made[::-1], "no room is left free while there are others"
        await driver.press("home")
        assert driver.session.shown == made[2]
        await driver.pilot.click(row, offset=(row.cell_width + 2, 1))
        await driver.until(lambda: driver.session.shown == made[1])
        await driver.press("w")
        assert driver.app.pictures.has_focus
        await driver.press("greater_than_sign")
        await driver.until_shown(f"mixture: {made[2].name}")


async def test_r_goes_back_to_what_a_result_was_made_from_and_undo_forward_again(
    folder: Path,
) -> None:
    async with opened(folder, count=3) as driver:
        first = await make(driver, "L")
        then = driver.session.choices
        driver.session.choose(method="lin/0", prompt="a face", steps=3, guidance=2.0)
        driver.session.set_count(5)
        driver.app.changed()
        now = driver.session.choices
        await driver.press("less_than_sign", "r")
        await driver.until(lambda: driver.session.choices.method == DEFAULT_METHOD)
        assert driver.session.choices == then, "to the last bit, or the result would be older"
        assert first.name in driver.said
        await driver.until(lambda: driver.session.is_measured)
        await driver.press("u")
        assert driver.session.choices == now


async def test_a_result_that_was_just_gone_back_to_is_not_older(folder: Path) -> None:
    async with opened(folder, count=6) as driver:
        made = await make(driver)
        await driver.press("r")
        await driver.until(lambda: "Back to" in driver.said)
        await driver.until_shown(f"mixture: {made.name}")


async def test_r_opens_the_folder_that_the_pictures_lie_in(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    (folder / "face-5.png").rename(other / "face-5.png")
    async with opened(folder, count=2) as driver:
        made = await make(driver, "l")
        open_folder(driver.app, FolderChosen(other, False))
        await driver.until(lambda: driver.session.folder == other)
        await driver.press("less_than_sign", "r")
        await driver.until(lambda: driver.session.folder == folder)
        await driver.until(lambda: driver.weights == pytest.approx([0.51, 0.49]))
        assert f"Back to what {made.name}" in driver.said


async def test_a_result_whose_pictures_are_gone_says_which(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await make(driver)
        (folder / "face-1.png").unlink()
        await driver.press("r")
        await driver.until(lambda: isinstance(driver.app.screen, NoticeDialog))
        assert "face-1.png" in driver.app.screen.text


async def test_d_shows_what_differs_between_two_results(folder: Path) -> None:
    async with opened(folder, (120, 40), count=2) as driver:
        left, right = await make(driver), await make(driver, "L")
        await driver.press("d")
        await driver.until(lambda: isinstance(driver.app.screen, DifferencesDialog))
        await driver.until_shown(left.name, right.name, "weight of face-0.png", "0.600000")
        await driver.press("y")
        assert driver.app.clipboard == f"latmix diff {left} {right}"
        await driver.press("d")
        await driver.until(lambda: not isinstance(driver.app.screen, DifferencesDialog))


async def test_marked_results_are_exported_with_their_recipes(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "out"
    async with opened(folder, count=2) as driver:
        made = [await make(driver), await make(driver, "L"), await make(driver, "L")]
        await driver.press("plus", "less_than_sign", "plus", "E")
        await driver.until(lambda: isinstance(driver.app.screen, ExportDialog))
        driver.app.screen.query_one("Input").value = str(place)
        await driver.press("enter")
        await driver.until(lambda: driver.finished("export"))
        await driver.until(lambda: "2 results in" in driver.said)
    assert sorted(path.name for path in place.iterdir()) == sorted(p.name for p in made[1:])
    assert read_recipe(place / made[1].name) == read_recipe(made[1])


async def test_the_row_the_mark_and_the_one_looked_at_are_resumed(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        made = [await make(driver), await make(driver, "L")]
        await driver.press("plus", "less_than_sign")
        saved.save(driver.session, load_config().session_file)
    async with opened(None) as driver:
        assert driver.session.results == made
        assert driver.session.marked == [made[1]]
        await driver.until(lambda: driver.app.pane.path == made[0])
        await driver.until(lambda: driver.app.pane.image)


async def test_y_names_the_machine_and_the_seed(folder: Path) -> None:
    async with opened(folder, count=3, machine=Machine("cpu", "float32", batch=2)) as driver:
        await driver.press("x", "y")
        words = shlex.split(driver.app.clipboard)
        seed = str(driver.session.choices.seed)
        assert words[:5] == ["latmix", "mix", str(folder), "-n", "3"]
        assert words[words.index("--seed") + 1] == seed
        for option, value in (("--device", "cpu"), ("--dtype", "float32"), ("--batch", "2")):
            assert words[words.index(option) + 1] == value
