"""Escape and the key typed right after it, which terminals send as they send alt with that key.

With letters Textual's parser makes alt of the two, which `type_ahead.split_alt` takes apart; of f
and b it makes the arrows that a Mac's terminal means by them. With any other key it drops the
escape, or makes a sign of it that a Mac's option key would write.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser

ESCAPE = "\x1b"

BEGINNINGS = frozenset("[]OPX^_")
"""What follows the escape of a longer sequence (ECMA-48): an arrow, the mouse, an answer."""

WORDS = frozenset("bf")
"""Letters that with alt move by a word, where text is written."""


class EscapeParser(XTermParser):
    """Parses escape and a letter as alt with it, escape and another key as these two."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        key = sequence[-1:]
        if len(sequence) == 2 and sequence[0] == ESCAPE and key in WORDS:
            yield events.Key(f"alt+{key}", key)
        elif is_two_keys(sequence) or (alt and sequence == key and not key.isalpha()):
            yield events.Key("escape", ESCAPE)
            yield from super()._sequence_to_key_events(key)
        else:
            yield from super()._sequence_to_key_events(sequence, alt)


def is_two_keys(sequence: str) -> bool:
    """Whether it is an escape and a key other than a letter, and cannot be anything else."""
    if len(sequence) != 2 or sequence[0] != ESCAPE:
        return False
    key, known = sequence[1], ANSI_SEQUENCES_KEYS.get(sequence)
    # A sequence of its own is left alone; a sign that only a Mac's option key makes is not one.
    return not (key.isalpha() or key in BEGINNINGS or isinstance(known, tuple))


def keep_escapes() -> None:
    """Let Textual read the terminal by this parser; to be called before the app runs."""
    if sys.platform != "win32":
        from textual.drivers import linux_driver

        vars(linux_driver)["XTermParser"] = EscapeParser
