"""A slow link: how much is written to the terminal for a key, at 120 x 40.

`python -m tests.tui.test_slow_link` prints the numbers.
"""

from __future__ import annotations

import os
import tempfile

import pytest

if os.name != "posix":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

from tests.support.terminal import Terminal

WORDS = ("--demo", "faces", "--fresh", "-n", "8", "--model", "mini", "--device", "cpu")
WORDS += ("--size", "32", "--steps", "2", "--solver", "ddim")

QUIET = 0.6
"""Seconds without a byte after which a key has been answered in full."""

KEYS = {"a weight": "l", "the cursor, and the picture under it": "j"}


def measure() -> dict[str, int]:
    """Bytes written for each key, once the pictures are inverted and numbers are shown."""
    with Terminal("explore", *WORDS, size=(120, 40)) as terminal:
        terminal.until("64 pictures in")
        terminal.press("i")
        terminal.until("inverted in")
        terminal.press("l")
        terminal.until_quiet(QUIET)
        found = {}
        for name, key in KEYS.items():
            before = len(terminal.written)
            terminal.press(key)
            terminal.until_quiet(QUIET)
            found[name] = len(terminal.written) - before
        return found


def test_a_key_writes_little_to_the_terminal() -> None:
    """A whole screen is 80 kB; the mixture's rows and its numbers are a tenth of that at most."""
    found = measure()
    assert 0 < found["a weight"] < 8_000
    assert 0 < found["the cursor, and the picture under it"] < 32_000


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"LATMIX_HOME": home, "LATMIX_CONFIG": f"{home}/config.toml"}
        for name, count in measure().items():
            print(f"{name:<40} {count:7,} bytes")
