"""Dialogs: method, N, prompt, folder, theme and help change the session, or leave it alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from textual.widgets import Input

from latmix import demo
from latmix.mixing.grid import methods, parse_method
from latmix.mixing.live import LiveStatistics
from latmix.mixing.norms import NORMS
from latmix.mixing.splits import SPLITS
from latmix.tui.actions.areas import COMMANDS
from latmix.tui.dialogs.folder import FolderDialog, FolderTree
from latmix.tui.dialogs.help import HelpDialog
from latmix.tui.dialogs.lists import ThemeDialog
from latmix.tui.dialogs.method import MethodDialog
from latmix.tui.dialogs.prompt import PromptDialog
from latmix.tui.dialogs.text_entry import CountDialog
from tests.support.driver import Driver, opened


async def open_dialog(driver: Driver, key: str, kind: type) -> None:
    await driver.press(key)
    await driver.until(lambda: isinstance(driver.app.screen, kind))


async def test_the_method_is_chosen_on_the_grid_and_undone(folder: Path) -> None:
    async with opened(folder, choices={"method": "nin/chm"}) as driver:
        await open_dialog(driver, "m", MethodDialog)
        await driver.until_shown("nin/chm", *(choice.name for choice in (*NORMS, *SPLITS)))
        await driver.press("k", "left")
        await driver.press("enter")
        await driver.until(lambda: driver.session.choices.method == "fix/m")
        assert "fix/m" in driver.lines[0]
        await driver.press("u")
        assert driver.session.choices.method == "nin/chm"
        await open_dialog(driver, "m", MethodDialog)
        await driver.press("j", "escape")
        assert driver.session.choices.method == "nin/chm"


async def test_methods_that_the_grid_has_not_are_passed_over(folder: Path) -> None:
    async with opened(folder, choices={"method": "nin/chm"}) as driver:
        await open_dialog(driver, "m", MethodDialog)
        await driver.press("h")
        await driver.until_shown("nin/m")
        for expected in ("coh/m", "lol/m", "clol/m", "slerp/m"):
            await driver.press("j")
            await driver.until_shown(expected)
        await driver.press("l", "k")
        await driver.until_shown("adain/chm")
        await driver.press("l")
        await driver.until_shown("adain/chm")
        await driver.press("enter")
        await driver.until(lambda: driver.session.choices.method == "adain/chm")


async def test_inverted_pictures_have_every_method_of_the_grid_tried_on_them(folder: Path) -> None:
    async with opened(folder, count=4, choices={"solver": "fixed-point"}) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        await open_dialog(driver, "m", MethodDialog)
        await driver.press("up", "up")
        await driver.until_shown("lin/lp:1", "damage the picture")
        [lin] = [line for line in driver.lines if " lin " in line]
        assert "!" in lin


async def test_a_method_that_these_latents_leave_nothing_to_scale_for_is_marked(
    folder: Path,
) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        inversion = driver.session.inversion
        assert inversion is not None
        noise = torch.randn(1, *inversion.space.shape)
        driver.session.measured(inversion, LiveStatistics.of(torch.cat([noise, -noise])))
        await open_dialog(driver, "m", MethodDialog)
        await driver.press("j", "j", "j")
        await driver.until_shown("× Finds no direction")
        [slerp] = [line for line in driver.lines if "slerp " in line]
        assert slerp.count("×") == len(SPLITS)


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_the_grid_and_all_that_is_said_of_a_method_fit(
    folder: Path, size: tuple[int, int]
) -> None:
    longest = sorted(methods(), key=lambda name: -len(parse_method(name).formula))[:2]
    async with opened(folder, size) as driver:
        for name in (*longest, "nin/lp:2.5"):
            dialog = MethodDialog(name, dict.fromkeys(methods(), "!"))
            driver.app.push_screen(dialog)
            last = parse_method(name).formula.split()[-1]
            await driver.until_shown(f"{last} ", "lp:auto!", "* in use")
            await driver.press("escape")


async def test_a_click_on_the_grid_finds_the_method_it_is_on(folder: Path) -> None:
    async with opened(folder, (60, 20), choices={"method": "nin/lp:2.5"}) as driver:
        await open_dialog(driver, "m", MethodDialog)
        [row] = [y for y, line in enumerate(driver.lines) if " lol " in line]
        for mean in ("0", "chm", "lp:2", "lp:auto"):
            await driver.pilot.click(offset=(driver.lines[row].index(f" {mean} ") + 1, row))
            await driver.until_shown(f"lol/{mean} ")
        await driver.pilot.click(offset=(driver.lines[row + 2].rindex("·"), row + 2))
        assert "lol/lp:auto" in driver.text


async def test_n_takes_the_first_n_and_refuses_more_than_there_are(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await open_dialog(driver, "N", CountDialog)
        await driver.press("7", "enter")
        await driver.until_shown("N must be from 1 to 6.")
        await driver.press("backspace", "5", "enter")
        await driver.until(lambda: len(driver.weights) == 5)
        assert driver.weights == [0.2] * 5
        assert "5 of 6" in driver.lines[0]
        await open_dialog(driver, "n", CountDialog)
        await driver.press("escape", "u")
        await driver.until(lambda: driver.weights == [0.5] * 2)


async def test_another_prompt_asks_for_other_latents_and_undo_finds_the_old_ones(
    folder: Path,
) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        await open_dialog(driver, "p", PromptDialog)
        driver.app.screen.query_one(Input).value = "an emoji of a {name}"
        await driver.press("enter")
        await driver.until(lambda: driver.session.choices.prompt == "an emoji of a {name}")
        assert not driver.session.is_measured
        await driver.press("u")
        await driver.until(lambda: driver.session.is_measured)
        assert driver.session.choices.prompt == ""
        assert len(driver.events("invert")) == 1


async def test_a_built_in_folder_opens_with_the_prompt_of_its_pictures(folder: Path) -> None:
    async with opened(folder, (120, 40)) as driver:
        await open_dialog(driver, "f", FolderDialog)
        await driver.until_shown("built-in pictures", "hearts", "pictures  6 pictures")
        tree = driver.app.screen.query_one(FolderTree)
        while tree.cursor_node is None or "hearts" not in str(tree.cursor_node.label):
            await driver.press("j")
        await driver.press("enter")
        await driver.until(lambda: driver.session.folder == demo.folder("hearts"))
        assert driver.session.choices.prompt == demo.prompt("hearts")
        assert len(driver.weights) == 8


async def test_a_folder_opens_with_its_subfolders(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (folder / "face-5.png").rename(inner / "deep.png")
    async with opened(folder, (120, 40)) as driver:
        assert len(driver.session.pictures) == 5
        await open_dialog(driver, "f", FolderDialog)
        await driver.until_shown("5 pictures")
        await driver.press("j", "l")
        await driver.until_shown("inner  1 picture")
        await driver.press("r")
        await driver.until(lambda: len(driver.session.pictures) == 6)
        await driver.until_shown("inner/deep.png")
        assert driver.session.recursive


async def test_a_theme_is_seen_at_once_and_kept_only_by_enter(folder: Path) -> None:
    async with opened(folder) as driver:
        before = driver.app.theme
        await open_dialog(driver, "t", ThemeDialog)
        await driver.press("down")
        await driver.until(lambda: driver.app.theme != before)
        await driver.press("escape")
        await driver.until(lambda: driver.app.theme == before)
        assert driver.session.theme == ""
        await open_dialog(driver, "t", ThemeDialog)
        await driver.press("j", "enter")
        await driver.until(lambda: driver.session.theme)
        assert driver.app.theme == driver.session.theme == "latmix-light"


async def test_help_names_every_command_and_the_palette_runs_them(folder: Path) -> None:
    async with opened(folder, (120, 40), count=4) as driver:
        await open_dialog(driver, "question_mark", HelpDialog)
        await driver.until_shown("A little less weight")
        await driver.press("escape")
        offered = list(driver.app.get_system_commands(driver.app.screen))
        assert [command.help for command in offered] == [c.tooltip for c in COMMANDS]
        await driver.press("ctrl+p")
        await driver.type("solo")
        await driver.until_shown("Solo  (s)")
        await driver.press("down", "enter")
        await driver.until(lambda: driver.weights == [1, 0, 0, 0])
