"""Escape is never lost to the key typed right after it."""

from __future__ import annotations

import pytest
from textual import events

from latmix.tui.actions.areas import COMMANDS
from latmix.tui.terminal.escapes import EscapeParser, is_two_keys


def parsed(sequence: str) -> list[str]:
    """Keys, once no more is to come."""
    parser = EscapeParser()
    found = [*parser.feed(sequence), *parser.feed("")]
    return [event.key for event in found if isinstance(event, events.Key)]


def test_escape_and_any_sign_or_digit_are_two_keys() -> None:
    for sign in ",=/?*<>+0123456789.-":
        alone = parsed(sign)
        assert len(alone) == 1
        assert parsed(f"\x1b{sign}") == ["escape", *alone], sign


@pytest.mark.parametrize(
    ("sequence", "keys"),
    [
        ("\x1b", ["escape"]),
        ("\x1b\r", ["escape", "enter"]),
        ("\x1b ", ["escape", "space"]),
        ("\x1ba", ["alt+a"]),
        ("\x1bA", ["alt+shift+a"]),
        ("\x1bf", ["alt+f"]),
        ("\x1bb", ["alt+b"]),
        ("\x1b[1;5C", ["ctrl+right"]),
        ("\x1b[", ["escape", "left_square_bracket"]),
        ("\x1b]", ["escape", "right_square_bracket"]),
        ("\x1b[A", ["up"]),
        ("\x1bOP", ["f1"]),
        ("\x1b[1;2D", ["shift+left"]),
        ("\x1b\x7f", ["ctrl+w"]),
        ("=", ["equals_sign"]),
    ],
)
def test_sequences_are_what_they_were(sequence: str, keys: list[str]) -> None:
    assert parsed(sequence) == keys


def test_no_key_of_a_command_is_taken_for_something_else() -> None:
    for command in COMMANDS:
        for name in command.keys.split(","):
            if len(name) == 1 and not name.isalpha():
                assert is_two_keys(f"\x1b{name}"), name
