"""Weights by keyboard: every key edits the session, and every edit can be undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from latmix.tui.listing.picture_list import parse_weight
from latmix.tui.messages import CursorMoved
from tests.support.driver import opened


async def test_arrows_and_letters_nudge_the_picture_under_the_cursor(folder: Path) -> None:
    async with opened(folder, count=5) as driver:
        await driver.press("j")
        for key, gained in (
            ("l", 0.01),
            ("right", 0.01),
            ("h", -0.01),
            ("left", -0.01),
            ("L", 0.1),
            ("shift+right", 0.1),
            ("H", -0.1),
            ("shift+left", -0.1),
        ):
            await driver.press(key)
            first, second, *_ = driver.weights
            assert second == pytest.approx(0.2 + gained), key
            assert first == pytest.approx((0.8 - gained) / 4), key
            await driver.press("u")
            assert driver.weights == [0.2] * 5


async def test_each_weight_key_does_what_the_help_says(folder: Path) -> None:
    async with opened(folder, count=4) as driver:
        await driver.press("s")
        assert driver.weights == [1, 0, 0, 0]
        await driver.press("equals_sign")
        assert driver.weights == [0.25] * 4
        await driver.press("down", "0")
        assert driver.weights == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3])
        await driver.press("space")
        assert len(driver.weights) == 3
        await driver.press("space")
        assert driver.weights == pytest.approx([0.25] * 4)
        await driver.press("x")
        assert sum(driver.weights) == pytest.approx(1)
        assert len(set(driver.weights)) == 4
        assert driver.session.choices.seed is not None
        assert f"seed {driver.session.choices.seed}" in driver.lines[0]


async def test_a_typed_weight_is_set_by_enter(folder: Path) -> None:
    async with opened(folder, count=3) as driver:
        for typed, weight in ((".3", 0.3), ("1%", 0.01), ("30", 0.3), ("100", 1.0)):
            await driver.type(typed)
            await driver.until_shown(f"={typed}")
            assert driver.weights == pytest.approx([1 / 3] * 3)
            await driver.press("enter")
            assert driver.weights == pytest.approx([weight, (1 - weight) / 2, (1 - weight) / 2])
            await driver.press("u")


async def test_escape_and_nonsense_leave_a_typed_weight_as_it_was(folder: Path) -> None:
    async with opened(folder, count=3) as driver:
        await driver.press("enter", "7", "backspace", "5", "escape")
        await driver.press("9", "9", "9", "enter")
        await driver.press("1", "down")
        await driver.press("percent_sign", "backspace")
        await driver.press("4")
        await driver.until_shown("esc stop", "q quit")
        await driver.press("escape")
        await driver.until_shown("i invert", "q quit")
        assert "stop" not in driver.lines[-1]
        assert driver.weights == pytest.approx([1 / 3] * 3)
        assert driver.app.pictures.entry is None


async def test_keys_that_come_all_at_once_act_in_their_order(folder: Path) -> None:
    async with opened(folder, count=3) as driver:
        for key in ("j", "3", "0", "enter", "j", "0", "u", "k", "k", "s", "u"):
            driver.app.simulate_key(key)
        await driver.press("home")
        assert driver.weights == pytest.approx([0.35, 0.3, 0.35])
        assert driver.app.pictures.entry is None


def test_a_typed_weight_is_a_share_or_a_percentage() -> None:
    assert [parse_weight(text) for text in ("0", ".5", "1", "50", "100")] == [0, 0.5, 1, 0.5, 1]
    refused = ("", "101", "-1", "nan", "inf", "1..", "x")
    assert not any(parse_weight(text) is not None for text in refused)


async def test_undo_and_redo_walk_over_the_edits(folder: Path) -> None:
    async with opened(folder, count=4) as driver:
        await driver.press("u")
        assert "Nothing to undo" in driver.said
        await driver.press("s", "l", "down", "L")
        edited = driver.weights
        await driver.press("u", "ctrl+z")
        assert driver.weights == [0.25] * 4
        await driver.press("ctrl+y", "U")
        assert driver.weights == edited
        await driver.press("ctrl+y")
        assert "Nothing to redo" in driver.said


async def test_the_cursor_moves_by_line_page_and_member_of_the_mixture(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        names = [path.name for path in driver.session.pictures]
        for keys, at in (
            (["j"], 1),
            (["up"], 0),
            (["end"], 5),
            (["down"], 5),
            (["tab"], 0),
            (["tab"], 1),
            (["shift+tab"], 0),
            (["pagedown"], 5),
            (["home"], 0),
            (["k"], 0),
        ):
            await driver.press(*keys)
            assert driver.app.pictures.cursor == at, keys
        assert driver.posted(CursorMoved)[-1].path.name == names[0]


async def test_a_picture_outside_the_mixture_joins_by_its_first_weight(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("end", "h")
        assert len(driver.weights) == 2
        await driver.press("L")
        assert driver.weights == pytest.approx([0.45, 0.45, 0.1])
        await driver.until_shown(">●", "0.100")
