"""No turn of the screen's loop does much at once, however many pictures there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.driver import exploring
from tests.support.stories import KEYS, OPTIONS, STORIES, many_pictures, play
from tests.support.turns import Turns

MOST_OF_A_KEY = 150_000
"""Calls in one turn: twice what the largest takes. 100,000 take a quiet processor 25 ms."""

MOST_OF_A_STORY = 270_000
"""The same, of stories: the largest turns make the first screen, and the sheets of variants."""


async def test_ten_thousand_pictures_open_and_keys_are_answered_in_small_turns(
    tmp_path: Path, faces: list[Path], record_property: pytest.RecordProperty
) -> None:
    place = many_pictures(tmp_path / "many", faces[0])
    with Turns().counted() as turns:
        async with exploring(place, (120, 40), recursive=True) as driver:
            await driver.until(lambda: driver.session.pictures)
            await driver.until_shown("10,000 pictures in", "0/20.png")
            assert turns.most() < MOST_OF_A_STORY
            await driver.until(lambda: driver.app.jobs.working_model)
            for name, key in KEYS:
                turns.most()
                await driver.press(key)
                calls = turns.most()
                record_property(name, calls)
                assert calls < MOST_OF_A_KEY, name


async def test_no_turn_of_any_story_does_much(
    folder: Path, record_property: pytest.RecordProperty
) -> None:
    found: dict[str, int] = {}
    with Turns().counted() as turns:
        async with exploring(folder, (120, 40), **OPTIONS) as driver:
            await play(driver, lambda story: found.update({story: turns.most()}))
    assert tuple(found) == STORIES
    for story, calls in found.items():
        record_property(story, calls)
    assert {story: calls for story, calls in found.items() if calls >= MOST_OF_A_STORY} == {}
