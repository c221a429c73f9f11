"""The user's own keys: they hold, and what cannot hold is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from latmix.tui.dialogs.help import HelpDialog
from latmix.tui.keys.keymap import check_keymap
from latmix.tui.keys.scopes import SCOPES
from tests.support.command import cli
from tests.support.driver import opened


@pytest.mark.parametrize(
    ("name", "keys", "said"),
    [
        ("job.genrate", "G", "did you mean job.generate?"),
        ("zzz", "G", "`latmix keys` lists them"),
        ("job.generate", "i", "cannot have i, which is invert (job.invert); it keeps g"),
        ("job.generate", "down", "which is Down (list.down)"),
        ("job.generate", "hyper+g", "'hyper+g' is no key"),
        ("job.generate", "gg", "'gg' is no key"),
        ("job.generate", "", "is no key"),
        ("strip.mark", "left", "which is Newer (strip.newer)"),
    ],
)
def test_what_cannot_hold_is_named_and_nothing_is_lost(name: str, keys: str, said: str) -> None:
    keymap = check_keymap({name: keys, "weight.solo": "f7"}, SCOPES)
    assert keymap.keys == {"weight.solo": "f7"}
    assert any(said in fault for fault in keymap.faults), keymap.faults


def known() -> set[str]:
    return {b.id for scope in SCOPES for place in scope for b in place.BINDINGS}


@pytest.mark.parametrize(
    ("keys", "as_textual"),
    [
        ("G", "G"),
        ("?!", None),
        ("!", "exclamation_mark"),
        ("f5, ctrl+g", "f5,ctrl+g"),
        ("-", "minus"),
        ("ctrl+@", "ctrl+at"),
        ("alt+x", "alt+x"),
        ("semicolon", "semicolon"),
    ],
)
def test_keys_are_written_as_they_are_on_the_keyboard(keys: str, as_textual: str | None) -> None:
    keymap = check_keymap({"job.generate": keys}, SCOPES)
    assert keymap.keys.get("job.generate") == as_textual


def test_two_commands_can_change_their_keys() -> None:
    keymap = check_keymap({"job.generate": "i", "job.invert": "g"}, SCOPES)
    assert keymap.faults == ()
    assert keymap.keys == {"job.generate": "i", "job.invert": "g"}


def test_two_commands_cannot_be_given_one_key() -> None:
    keymap = check_keymap({"job.generate": "f7", "job.invert": "f7"}, SCOPES)
    assert len(keymap.keys) == 1
    assert len(keymap.faults) == 1


async def test_the_configured_keys_hold_and_are_shown_everywhere(
    folder: Path, own_home: Path
) -> None:
    (own_home / "config.toml").write_text(
        '[keys]\n"weight.solo" = "f7"\n"program.help" = "f5"\n"job.invert" = "g"\n'
    )
    async with opened(folder, (120, 40), count=4) as driver:
        await driver.until(lambda: driver.notices)
        assert "job.invert cannot have g" in driver.notices[0]
        await driver.press("s")
        assert driver.weights == [0.25] * 4
        await driver.press("f7")
        assert driver.weights == [1, 0, 0, 0]
        assert "f5 help" in driver.lines[-1]
        await driver.press("f5")
        await driver.until(lambda: isinstance(driver.app.screen, HelpDialog))
        while "Solo" not in driver.text:
            await driver.press("pagedown")
        [line] = [line for line in driver.lines if "Solo" in line]
        assert "f7" in line


def test_keys_are_listed_without_a_screen(own_home: Path) -> None:
    (own_home / "config.toml").write_text('[keys]\n"job.generate" = "G"\nnothing = "x"\n')
    listed = json.loads(cli("keys", "--json").stdout)
    rows = {row["id"]: row["keys"] for row in listed["keys"]}
    assert rows["job.generate"] == "G"
    assert set(rows) == known()
    assert "no command nothing" in listed["failed"][0]
    shown = cli("keys")
    assert "weight.solo" in shown.stdout
    assert "no command nothing" in shown.stderr
