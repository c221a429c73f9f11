"""What all dialogs share: one may be left before it is there, and shows what is below it."""

from __future__ import annotations

from pathlib import Path

from rich.cells import cell_len
from rich.style import Style
from textual.renderables.background_screen import BackgroundScreen
from textual.strip import Strip

from latmix.config import load_config
from latmix.jobs.screen.variants import Wanted
from latmix.tui.actions.areas import COMMANDS
from latmix.tui.app import OPENERS
from latmix.tui.dialogs.dialog import Dialog
from latmix.tui.dialogs.help import HelpDialog
from latmix.tui.dialogs.sheet import Sheet
from latmix.tui.dialogs.text_entry import CountDialog
from latmix.tui.keys.keymap import Keymap
from latmix.tui.pictures.variants import VariantsScreen
from tests.support.driver import Driver, opened

ELSEWHERE = {"job.compare", "job.sweep", "result.pane", "list.failures"}
NEEDS_RESULTS = {"mix.numbers", "result.export"}


async def test_a_dialog_that_is_left_before_it_is_there_does_no_harm(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        for name in sorted(OPENERS - ELSEWHERE - NEEDS_RESULTS):
            driver.app.action_command(name)
            assert isinstance(driver.app.screen, Dialog), name
            await driver.app.pop_screen()
        await driver.pilot.pause()
        await driver.press("l")
        await driver.until(lambda: driver.weights == [0.51, 0.49])


async def test_the_screen_is_seen_below_a_dialog_as_textual_would_show_it(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("N")
        dialog, below = driver.app.screen, driver.app.screen_stack[0]
        veil = dialog.styles.background
        assert 0 < veil.a < 1

        def shown(y: int) -> list[tuple[str, Style | None]]:
            return [(text, style) for text, style, _ in dialog.render_line(y).simplify()]

        def expected(y: int) -> list[tuple[str, Style | None]]:
            strip = below._compositor.render_strips()[y]
            veiled = Strip(BackgroundScreen.process_segments(strip, veil)).simplify()
            return [(text, style) for text, style, _ in veiled]

        def is_seen() -> bool:
            return [shown(y) for y in range(24)] == [expected(y) for y in range(24)]

        await driver.until(is_seen)  # the footer is made anew meanwhile
        driver.app.job_line.say("something happened below")
        await driver.until_shown("something happened below")
        assert is_seen()


async def test_a_long_text_is_scrolled_by_lines_and_pages_at_once(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("question_mark")
        sheet = driver.app.screen.query_one(Sheet)
        assert "The pictures of the folder." in driver.text
        await driver.press("j", "down", "k")
        assert sheet.scroll_offset.y == 1
        await driver.press("pagedown")
        assert sheet.scroll_offset.y > sheet.size.height / 2
        await driver.press("end")
        assert "themes" in driver.text
        assert sheet.scroll_offset.y == sheet.virtual_size.height - sheet.size.height
        await driver.pilot.resize_terminal(60, 20)
        await driver.press("home")
        await driver.until_shown("The pictures of the folder.")
        assert all(len(line) == 60 for line in driver.lines)


async def test_a_terminal_that_becomes_too_small_says_so_whatever_is_open(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        drafts = VariantsScreen((Wanted("fix/0", "fix/0", {}),), "drafts", None)
        for screen in (CountDialog(2, 6), HelpDialog(COMMANDS, Keymap({}), load_config()), drafts):
            driver.app.push_screen(screen)
            await driver.pilot.resize_terminal(59, 24)
            await driver.until_shown("latmix needs a terminal of 60 x 20.")
            assert "╭" not in driver.text
            await driver.pilot.resize_terminal(60, 20)
            await driver.until(lambda: "latmix needs" not in driver.text)
            assert all(len(line) == 60 for line in driver.lines)
            await driver.app.pop_screen()


async def click(driver: Driver, word: str) -> None:
    """Click on the last place on the screen that has these words."""
    row = max(y for y, line in enumerate(driver.lines) if word in line)
    column = cell_len(driver.lines[row][: driver.lines[row].index(word)])
    await driver.pilot.click(offset=(column, row))


async def test_a_click_on_a_key_in_the_last_line_is_that_key(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("N", "3")
        await driver.until_shown("enter takes it")
        await click(driver, "esc leaves")
        await driver.until(lambda: not isinstance(driver.app.screen, Dialog))
        assert len(driver.weights) == 2
        await driver.press("N", "3")
        await driver.until_shown("enter takes it")
        await click(driver, "takes it")
        await driver.until(lambda: len(driver.weights) == 3)


async def test_a_click_opens_a_branch_by_its_sign_and_a_folder_by_its_name(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("f")
        await driver.until_shown("▾ built-in pictures", "hearts")
        await click(driver, "▾ built-in")
        await driver.until(lambda: "hearts" not in driver.text)
        await click(driver, "▸ built-in")
        await driver.until_shown("hearts")
        await click(driver, "hearts")
        await driver.until(lambda: driver.session.folder and driver.session.folder.name == "hearts")
