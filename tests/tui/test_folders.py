"""Folders: small and huge, empty and gone, unreadable pictures, names made to break things."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from latmix.mixing.grid import DEFAULT_METHOD
from latmix.session import saved
from latmix.tui.dialogs.folder import FolderDialog
from latmix.tui.dialogs.reading import NoticeDialog
from tests.support.driver import exploring, opened

LONGEST_STALL = 0.5
"""Seconds; generous, as the machine may be busy with other things."""


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_a_folder_opens_and_paints_all_there_is_to_see(
    folder: Path, size: tuple[int, int]
) -> None:
    async with opened(folder, size, count=4) as driver:
        await driver.until(lambda: driver.app.pane.image and driver.app.jobs.working_model)
        await driver.until_shown(
            "latmix", f"4 of 6 · {DEFAULT_METHOD} · mini (emoji) · cpu", "▀▀▀▀▀▀▀▀▀▀▀▀"
        )
        lines = driver.lines
        assert len(lines) == size[1]
        assert "picture" in lines[1] and "weight" in lines[1]
        for row, line in enumerate(lines[2:8]):
            assert line.startswith(">●" if row == 0 else (" ●" if row < 4 else "  "))
            assert f"face-{row}.png" in line
            assert ("0.250 █" in line) == (row < 4)
        assert "4 pictures are not inverted yet" in driver.text
        assert lines[-2].startswith(" 6 pictures in /")
        for key in ("h/l weight", "i invert", "g generate", "m method", "? help", "q quit"):
            assert key in lines[-1]
        assert driver.app.pane.path == folder / "face-0.png"


async def test_unreadable_pictures_are_marked_with_the_reason_and_left_out(folder: Path) -> None:
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("not a picture")
    async with opened(folder, (120, 40)) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        assert {Path(key).name for key in driver.session.failures} == {"empty.png", "text.png"}
        assert len(driver.weights) == 6
        assert "2 pictures left out (✗)" in driver.said
        [line] = [line for line in driver.lines if "text.png" in line]
        assert "✗" in line and "unreadable" in line
        await driver.press("end")
        await driver.until_shown("✗ ", "space tries it again")
        await driver.press("L")
        assert len(driver.weights) == 6
        (folder / "text.png").unlink()
        shutil.copy(folder / "face-0.png", folder / "text.png")
        await driver.press("space")
        assert len(driver.weights) == 7
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)


async def test_names_made_to_break_a_terminal_are_shown_safely(
    folder: Path, faces: list[Path]
) -> None:
    names = [
        b"[red].png",
        b"[bold].png",
        b"[@click=app.quit]x.png",
        b"\x1b[2Jwipe.png",
        b"new\nline.png",
        b"\xff\xfe.png",
        "\u202egnp.gnp.png".encode(),
        "\x9b31m.png".encode(),
    ]
    for name in names:
        shutil.copy(faces[0], os.path.join(os.fsencode(folder), name))  # noqa: PTH118
    hidden = set("\x1b\x9b\n\u202e")
    async with opened(folder, (120, 40), count=len(names) + 6) as driver:
        for _ in names:
            await driver.press("down")
            assert not hidden & set("".join(driver.lines))
        await driver.until_shown("[red].png", "[bold].png", r"\x1b[2Jwipe.png", r"new\nline.png")
        await driver.until_shown(r"\xff\xfe.png", "[@click=app.quit]x.png")
        await driver.press("x", "y")
        await driver.until_shown("The same from the shell")
        assert not hidden & set("".join(driver.lines))
        await driver.press("escape")
        saved.save(driver.session, driver.app.config.session_file)
        weights = driver.weights
    async with opened(None) as driver:
        assert driver.weights == pytest.approx(weights)


async def test_a_folder_without_pictures_says_so_and_another_can_be_chosen(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    async with exploring(empty) as driver:
        await driver.until(lambda: isinstance(driver.app.screen, NoticeDialog))
        await driver.until_shown("That did not work", "empty")
        await driver.press("escape", "i", "g", "x", "equals_sign", "space", "h", "N", "0", "enter")
        assert driver.session.mixture is None
        await driver.press("f")
        await driver.until(lambda: isinstance(driver.app.screen, FolderDialog))


async def test_a_folder_that_vanished_keeps_its_mixture_for_when_it_is_back(folder: Path) -> None:
    async with opened(folder, count=3) as driver:
        await driver.press("L")
        weights = driver.weights
        saved.save(driver.session, driver.app.config.session_file)
    away = folder.with_name("away")
    folder.rename(away)
    async with exploring(None) as driver:
        await driver.until(lambda: isinstance(driver.app.screen, NoticeDialog))
        await driver.until_shown("There is no folder")
        await driver.press("escape")
        saved.save(driver.session, driver.app.config.session_file)
    away.rename(folder)
    async with opened(None) as driver:
        assert driver.weights == weights


async def test_too_small_a_terminal_says_so_and_a_larger_one_shows_all_again(folder: Path) -> None:
    async with opened(folder, (50, 15)) as driver:
        await driver.until_shown("60 x 20")
        assert "face-0.png" not in driver.text
        await driver.pilot.resize_terminal(120, 40)
        await driver.until_shown("face-0.png", "0.167", "h/l weight")
        assert "60 x 20" not in driver.text
        await driver.pilot.resize_terminal(60, 20)
        await driver.until_shown("face-0.png", "q quit")
