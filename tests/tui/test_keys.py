"""Keys: each does one thing, says what, and the footer has room for those it shows."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from latmix.session.machine import Machine
from latmix.tui.actions.areas import COMMANDS
from latmix.tui.keys.scopes import SCOPES
from tests.support.driver import opened

KEY_NAMES = {
    "equals_sign": "=",
    "asterisk": "*",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "question_mark": "?",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "plus": "+",
    "comma": ",",
    "shift+left": "shift",
    "shift+right": "shift",
}
"""Textual's names of keys that the README calls by their sign."""

PLACES = sorted({place for scope in SCOPES for place in scope}, key=lambda place: place.__name__)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_every_binding_has_an_id_a_description_and_a_tooltip(place: type) -> None:
    for binding in place.BINDINGS:
        assert isinstance(binding, Binding)
        assert binding.id and binding.id.count(".") == 1, binding
        assert binding.description, binding
        assert binding.tooltip.endswith("."), binding


@pytest.mark.parametrize("places", SCOPES, ids=lambda places: places[-1].__name__)
def test_no_two_actions_share_a_key_where_both_can_be_reached(places: tuple[type, ...]) -> None:
    taken: dict[str, str] = {}
    ids: list[str] = []
    for binding in (binding for place in places for binding in place.BINDINGS):
        ids.append(binding.id)
        for key in binding.key.split(","):
            assert key not in taken, f"{key}: {taken.get(key)} and {binding.action}"
            taken[key] = binding.action
    assert len(set(ids)) == len(ids)


def test_every_command_has_a_key_in_the_readme() -> None:
    """One key of each command is enough: `J` for `j` and `down` for the arrow say the same."""
    text = (Path(__file__).parents[2] / "README.md").read_text()
    table = text[text.index("| keys | what |") : text.index("The next start resumes")]
    named = set(re.findall(r"`([^`]+)`", table)) | set(re.findall(r"[a-z]{4,}", table))
    for command in COMMANDS:
        keys = {KEY_NAMES.get(key, key) for key in command.keys.split(",")}
        assert keys & named, f"{command.id}: none of {sorted(keys)} is in the README"


async def test_the_footer_shows_at_most_six_keys_and_all_of_them_fit(folder: Path) -> None:
    async with opened(
        folder, count=3, machine=Machine("cpu", batch=1), choices={"steps": 60}
    ) as driver:
        footer = driver.app.screen.query_one(Footer)

        def shown() -> list[FooterKey]:
            return [key for key in footer.query(FooterKey) if key.action != "command_palette"]

        def fits() -> bool:
            keys = shown()
            spans = [(key.region.x, key.region.right) for key in keys]
            apart = all(left[1] <= right[0] for left, right in pairwise(spans))
            return len(keys) == 6 and apart and spans[-1][1] <= 70

        await driver.until(fits)
        assert "stop" not in driver.lines[-1]
        await driver.press("i")
        await driver.until(lambda: "stop" in driver.lines[-1])
        await driver.until(fits)
        await driver.press("escape")
        await driver.until_idle()
        await driver.until(lambda: "stop" not in driver.lines[-1])
