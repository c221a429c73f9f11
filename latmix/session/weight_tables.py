"""Weights in writing: `NAME=WEIGHT` words, CSV files and pasted text, matched to pictures.

Needs no torch. The command line and the terminal UI read and write the same forms. A name is a
path as it is listed, a path that leads to the same file, a file name, or a file name without its
ending: the first of these that fits is meant.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import os
import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path

from latmix.disk import read_file
from latmix.errors import LatmixError, UsageError
from latmix.mixing.mixture import normalised
from latmix.names import display_name

Pair = tuple[str, float]

HEADER = ["name", "weight"]


def read_weights(file: Path) -> list[Pair]:
    """The names and weights of a CSV file.

    Raises:
        LatmixError: it cannot be read. UsageError: it is empty, or a line is not name,weight.
    """
    shown = display_name(file)
    try:
        text = read_file(file).decode("utf-8-sig", "surrogateescape")
        lines = [line for line in csv.reader(io.StringIO(text, newline="")) if line]
    except (OSError, csv.Error) as error:
        raise LatmixError(f"The weights file {shown} cannot be read: {error}.") from error
    return _pairs(lines, f"The weights file {shown}", shown)


def parse_weights(text: str) -> list[Pair]:
    """The names and weights of a pasted text: CSV, or words such as `-w name=0.3`.

    A whole command that `latmix explore` copied is understood too.

    Raises:
        UsageError: it is neither.
    """
    # Terminals end a pasted line by a carriage return.
    stream = io.StringIO(text.strip(), newline=None)
    try:
        lines = [line for line in csv.reader(stream) if line]
    except csv.Error:
        lines = []
    if lines and all(len(line) == 2 for line in lines):
        return _pairs(lines, "The text", "the text")
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    named = [word for at, word in enumerate(words) if words[at - 1 : at] in (["-w"], ["--weight"])]
    if not named and words and all("=" in word for word in words):
        named = words
    if not named:
        raise UsageError(
            "The text holds no weights.", "Lines of name,weight are read, and -w name=weight."
        )
    return [parse_word(word) for word in named]


def parse_word(word: str) -> Pair:
    """A name and a weight from NAME=WEIGHT.

    Raises:
        UsageError: it is something else.
    """
    name, equals, number = word.rpartition("=")
    if not equals or not name:
        raise UsageError(
            f"-w {display_name(word)} is not NAME=WEIGHT.", "Write -w picture.png=0.3."
        )
    return name, _number(number, name)


def match_weights(pairs: Sequence[Pair], paths: Sequence[Path]) -> dict[Path, float]:
    """The pictures with a positive weight, in the order of `paths`.

    Raises:
        UsageError: a name that is not there, is ambiguous or stands twice; weights that cannot be
            meant.
    """
    find = _finder(paths)
    table: dict[Path, float] = {}
    for name, weight in pairs:
        path = find(name)
        if path in table:
            raise UsageError(f"{display_name(name)} is given two weights.", "Give it one.")
        table[path] = weight
    try:
        normalised(table.values())
    except ValueError as error:
        raise UsageError(str(error)) from error
    return {path: table[path] for path in paths if table.get(path, 0.0) > 0}


def weights_text(weights: Mapping[Path, float], paths: Sequence[Path]) -> str:
    """The weights as CSV that `match_weights` finds the same pictures by.

    Args:
        paths: all the pictures they are among: a file name that is there twice needs its path.
    """
    counts = Counter(path.name for path in paths)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEADER)
    for path, weight in weights.items():
        is_clear = counts[path.name] == 1 and path.name == path.name.strip()
        writer.writerow([path.name if is_clear else str(path), repr(weight)])
    return stream.getvalue()


def _same_file(path: Path | str) -> str:
    """Where a picture is, whatever leads there."""
    return os.path.realpath(path)


SPELLINGS: tuple[Callable[[Path], str], ...] = (
    str,
    _same_file,
    lambda path: path.name,
    lambda path: path.stem,
)
"""How a name may name a picture: as it is listed, as the same file, by its file name or stem."""


def _finder(paths: Sequence[Path]) -> Callable[[str], Path]:
    """What finds pictures by name, each way of naming looked through once."""

    @cache
    def spelled(spelling: Callable[[Path], str]) -> Mapping[str, list[Path]]:
        table: dict[str, list[Path]] = {}
        for path in paths:
            table.setdefault(spelling(path), []).append(path)
        return table

    def look_up(name: str, spelling: Callable[[Path], str]) -> list[Path]:
        if spelling is _same_file:
            try:
                name = os.path.realpath(name, strict=True)
            except (OSError, ValueError):  # asking where every picture is would be in vain
                return []
        return spelled(spelling).get(name, [])

    def find(name: str) -> Path:
        shown = display_name(name)
        for written, spelling in product(dict.fromkeys((name, name.strip())), SPELLINGS):
            if len(fits := look_up(written, spelling)) == 1:
                return fits[0]
            if fits:
                raise UsageError(f"{shown} fits {len(fits)} pictures.", "Give its whole path.")
        near = difflib.get_close_matches(name, [path.name for path in paths], n=1)
        raise UsageError(
            f"There is no picture {shown} among those named.",
            f"Did you mean {display_name(near[0])}?" if near else "",
        )

    return find


def _pairs(lines: list[list[str]], what: str, shown: str) -> list[Pair]:
    if lines and [cell.strip().lower() for cell in lines[0]] == HEADER:
        lines = lines[1:]
    if not lines:
        raise UsageError(f"{what} is empty.", "Give it the columns name, weight.")
    for number, line in enumerate(lines, start=1):
        if len(line) != 2:
            raise UsageError(f"Line {number} of {shown} is not name,weight.", "Give two columns.")
    return [(name, _number(weight, name)) for name, weight in lines]


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise UsageError(
            f"The weight {display_name(text.strip())} of {display_name(name)} cannot be used.",
            "A weight is a number of at least 0.",
        )
    return value
