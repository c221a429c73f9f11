"""Names from strangers are shown for what they are, and do nothing to the screen."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from latmix.names import display_name, plural

# Surrogates too: os.fsdecode makes them of bytes that are not UTF-8.
any_text = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("pictures/cat 1.png", "pictures/cat 1.png"),
        ("-rf.png", "-rf.png"),
        ("[red]x[/red].png", "[red]x[/red].png"),
        ("a\nb\tc\r.png", r"a\nb\tc\r.png"),
        ("\x1b[2J.png", r"\x1b[2J.png"),
        ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
        ("a\u202egnp.exe", r"a\u202egnp.exe"),
        ("\u200b\u2028\u2029\ufeff", r"\u200b\u2028\u2029\ufeff"),
        ("\U000e0041", r"\U000e0041"),
        ("a\u3164\ufe0f", r"a\u3164\ufe0f"),
        (b"caf\xe9.png", r"caf\xe9.png"),
        (Path("caf\udce9.png"), r"caf\xe9.png"),
        ("\ud800", r"\ud800"),
        ("Grüße 猫 🐈 e\u0301.png", "Grüße 猫 🐈 e\u0301.png"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_becomes_an_escape_and_all_else_is_kept(
    path: str | bytes | os.PathLike[str], shown: str
) -> None:
    assert display_name(path) == shown


@pytest.mark.parametrize(
    ("path", "width", "shown"),
    [
        ("abcdefghij", 10, "abcdefghij"),
        ("abcdefghij", 9, "abcd…ghij"),
        ("abcdefghij", 2, "a…"),
        ("abcdefghij", 1, "…"),
        ("abcdefghij", 0, ""),
        ("abcdefghij", -3, ""),
        ("猫猫猫猫猫", 10, "猫猫猫猫猫"),
        ("猫猫猫猫猫", 9, "猫猫…猫猫"),
        ("猫猫猫猫猫", 8, "猫猫…猫"),
        ("e\u0301e\u0301e\u0301e\u0301", 4, "e\u0301e\u0301e\u0301e\u0301"),
        ("e\u0301e\u0301e\u0301e\u0301", 3, "e\u0301…e\u0301"),
        ("\x1b\x1b\x1b\x1b", 9, r"\x1b…\x1b"),
        ("\x1b\x1b\x1b\x1b", 8, r"\x1b…"),
    ],
)
def test_a_long_name_gives_up_its_middle_and_no_half_of_anything(
    path: str, width: int, shown: str
) -> None:
    assert display_name(path, width) == shown


@given(st.one_of(any_text, st.binary()), st.integers(0, 40))
@example("\u1100\u1161\u11a8" * 9, 10)
@example("🏳️\u200d🌈👩\u200d👩\u200d👧🇫🇷👍🏽" * 5, 21)
def test_any_name_is_free_of_controls_encodable_and_within_its_width(
    path: str | bytes, width: int
) -> None:
    whole, short = display_name(path), display_name(path, width)
    for shown in (whole, short):
        shown.encode("utf-8")  # raises for what a stream could not take
        assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert cell_len(short) <= width
    assert short == whole or width < 1 or "…" in short


def test_no_character_of_unicode_is_wider_than_it_is_counted() -> None:
    for code in range(0x110000):
        if not unicodedata.category(chr(code)).startswith("C"):
            assert cell_len(display_name(chr(code), 1)) <= 1


def test_a_count_takes_the_plural_except_for_one() -> None:
    assert plural(1, "picture") == "1 picture"
    assert plural(0, "picture") == "0 pictures"
    assert plural(8, "latent") == "8 latents"
    assert plural(10_000, "latent") == "10,000 latents"
