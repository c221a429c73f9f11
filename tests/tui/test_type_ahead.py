"""Keys typed at once with the key that opens a dialog are the dialog's; with the one that closes
it, the list's again."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from latmix.tui.actions.areas import COMMANDS
from latmix.tui.actions.program import theme_names
from latmix.tui.dialogs.dialog import Dialog
from latmix.tui.dialogs.folder import FolderDialog
from tests.support.driver import Driver, opened


def burst(driver: Driver, *keys: str) -> None:
    """Keys that come faster than the first of them is answered."""
    for key in keys:
        driver.app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_words_typed_with_a_dialogs_key_are_its_own(folder: Path) -> None:
    async with opened(folder, count=4) as driver:
        weights = driver.weights
        burst(driver, "p", *"gaxHs", "enter")
        await driver.until(lambda: driver.session.choices.prompt == "gaxHs")
        assert driver.weights == weights
        assert not driver.app.pictures.arrangement.marked


async def test_what_came_before_is_done_first(folder: Path) -> None:
    async with opened(folder, count=4) as driver:
        burst(driver, "s", "j", "L", "comma", "8", "enter")
        await driver.until(lambda: driver.session.choices.steps == 8)
        assert driver.weights == pytest.approx([0.9, 0.1, 0, 0])


async def test_a_key_that_opens_nothing_holds_no_others_back(folder: Path) -> None:
    async with opened(folder, count=4) as driver:
        burst(driver, "F", "s")
        await driver.until(lambda: driver.weights == [1, 0, 0, 0])
        burst(driver, "slash", *"pf", "enter", "j")
        await driver.until(lambda: driver.app.pictures.arrangement.words == "pf")
        assert not isinstance(driver.app.screen, Dialog)


async def test_commands_typed_with_a_dialogs_last_key_are_not_written_into_it(
    folder: Path,
) -> None:
    async with opened(folder, count=4) as driver:
        burst(driver, "p", *"cats", "enter", "s", "j", "L", "m", "escape", "x", "u")
        await driver.until(lambda: driver.session.choices.prompt == "cats")
        await driver.until(lambda: driver.weights == pytest.approx([0.9, 0.1, 0, 0]))
        burst(driver, "comma", "escape", "N", "2", "enter", "comma", "7", "enter", "s")
        await driver.until(lambda: driver.weights == [0, 1])
        assert driver.session.choices.steps == 7
        burst(driver, "t", "down", "j", "enter", "equals_sign")
        await driver.until(lambda: driver.weights == [0.5, 0.5])
        names = theme_names(driver.app)
        assert driver.app.theme == names[2]
        assert not isinstance(driver.app.screen, Dialog)


async def test_what_is_wrong_in_a_dialog_is_mended_in_it(folder: Path) -> None:
    async with opened(folder, count=4) as driver:
        burst(driver, "N", "9", "enter", "backspace", "3", "enter", "s")
        await driver.until(lambda: driver.weights == [1, 0, 0])


async def test_escape_and_a_letter_that_a_terminal_takes_for_alt_are_two_keys(
    folder: Path,
) -> None:
    async with opened(folder, count=4) as driver:
        burst(driver, "p", *"abc")
        driver.app.post_message(events.Key("alt+s", "s"))
        await driver.until(lambda: driver.weights == [1, 0, 0, 0])
        assert driver.session.choices.prompt == ""
        assert not isinstance(driver.app.screen, Dialog)


async def test_alt_with_b_and_f_moves_by_words_only_where_words_are_written(folder: Path) -> None:
    async with opened(folder, count=4) as driver:
        driver.app.post_message(events.Key("alt+f", "f"))
        await driver.until(lambda: isinstance(driver.app.screen, FolderDialog))
        await driver.press("escape", "p")
        await driver.press(*"ab", "space", *"cd")
        driver.app.post_message(events.Key("alt+b", "b"))
        await driver.press("x", "enter")
        await driver.until(lambda: driver.session.choices.prompt == "ab xcd")


async def test_every_command_that_opens_a_dialog_holds_keys_back(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        app, session, opening = driver.app, driver.session, set[str]()
        await driver.press("g")
        await driver.until(lambda: session.results and not app.work.is_busy)
        session.failures[str(folder / "gone.png")] = "It is gone."
        mixture = session.mixture
        for command in (one for one in COMMANDS if one.id != "program.quit"):
            session.choose(mixture=mixture)  # whatever the command before made of it
            before = app.screen
            app.action_command(command.id)
            if app.screen is not before:
                opening.add(command.id)
                await app.pop_screen()
            await driver.until_idle()
        moving_the_focus = {"result.pane"}
        assert opening | moving_the_focus == {one.id for one in COMMANDS if one.opens}
