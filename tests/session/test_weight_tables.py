"""Weights in writing: read again as they were written, and what cannot be meant is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latmix.errors import LatmixError, UsageError
from latmix.session.weight_tables import match_weights, parse_weights, read_weights, weights_text

PATHS = [Path(name) for name in ("in/a.png", "in/b c.png", "in/sub/a.png", "in/,\"'=x.jpg")]

names = st.text(
    st.characters(exclude_characters="/\0\r", exclude_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda name: name.strip() not in ("", ".", ".."))


@given(
    st.lists(names, min_size=1, max_size=6, unique=True),
    st.lists(st.floats(1e-9, 1), min_size=6, max_size=6),
)
def test_what_is_written_is_read_as_it_was(given_names: list[str], weights: list[float]) -> None:
    paths = [Path(f"folder{at % 2}") / name for at, name in enumerate(given_names)]
    table = dict(zip(paths, weights, strict=False))
    text = weights_text(table, paths)
    assert match_weights(parse_weights(text), paths) == table


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    strange = Path(os.fsdecode(b"in/\xff.png"))
    table = {PATHS[0]: 0.25, PATHS[1]: 0.125, PATHS[3]: 0.5, strange: 0.125}
    file = tmp_path / "weights.csv"
    paths = [*PATHS, strange]
    file.write_text(weights_text(table, paths), encoding="utf-8", errors="surrogateescape")
    assert match_weights(read_weights(file), paths) == table


@pytest.mark.parametrize(
    "text",
    [
        "name,weight\nb c.png,0.3\nin/a.png,0.7\n",
        "b c.png, 0.3\n in/a.png,0.7",
        "name,weight\rb c.png,0.3\rin/a.png,0.7\r",
        "-w 'b c.png=0.3' -w in/a.png=0.7",
        "'b c=0.3' in/a.png=0.7",
        "latmix mix in/a.png 'in/b c.png' -w in/a.png=0.7 --weight 'in/b c.png=0.3' --model mini",
    ],
)
def test_pasted_text_may_be_csv_or_words_of_a_command(text: str) -> None:
    assert match_weights(parse_weights(text), PATHS) == {PATHS[0]: 0.7, PATHS[1]: 0.3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello there", "no weights"),
        ("", "no weights"),
        ("name,weight", "empty"),
        ("a 'b", "no weights"),
        ("b c.png,x", "cannot be used"),
        ("b c.png,-1", "cannot be used"),
        ("b c.png,nan", "cannot be used"),
        ("d.png,1", "no picture d.png"),
        ("a.png,1", "fits 2 pictures"),
        ("b c.png,0", "all zero"),
        ("b c.png,1\nb c,1", "two weights"),
        ("b c.png,1,2\nx,1", "no weights"),
    ],
)
def test_text_that_cannot_be_meant_is_refused_with_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        match_weights(parse_weights(text), PATHS)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LatmixError, match=r"gone\.csv"):
        read_weights(tmp_path / "gone.csv")


def test_ten_thousand_pictures_are_matched_by_name_without_asking_the_system() -> None:
    paths = [Path(f"folder/{index}.png") for index in range(10_000)]
    pairs = [(f"{index}.png", 1.0) for index in range(10_000)]
    assert len(match_weights(pairs, paths)) == 10_000
