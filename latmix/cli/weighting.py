"""Weights as the command line gives them: `-w name=0.3` and CSV files, matched to pictures."""

from __future__ import annotations

import csv
import difflib
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from latmix.errors import LatmixError, UsageError
from latmix.mixing.mixture import Mixture, normalised
from latmix.names import display_name

if TYPE_CHECKING:
    from latmix.jobs.inversion import PictureRow


def given_weights(
    paths: Sequence[Path], named: Sequence[str] | None, file: Path | None
) -> dict[Path, float]:
    """The pictures with a positive weight, in the order of `paths`; empty where none are given.

    Args:
        named: "NAME=WEIGHT"; NAME is a path as listed, a file name or its stem.
        file: a CSV of the same two columns.

    Raises:
        UsageError: a word that is no weight, a name that is not there or is ambiguous, weights that
            cannot be meant.
    """
    if named and file:
        raise UsageError("-w and --weights exclude each other.", "Leave one of them out.")
    pairs = _read_csv(file) if file else [_parse(word) for word in named or ()]
    if not pairs:
        return {}
    table: dict[Path, float] = {}
    for name, weight in pairs:
        path = _find(name, paths)
        if path in table:
            raise UsageError(f"{display_name(name)} is given two weights.", "Give it one.")
        table[path] = weight
    normalised(table.values())
    return {path: table[path] for path in paths if table.get(path, 0.0) > 0}


def mixture_of_rows(rows: Iterable[PictureRow], weights: dict[Path, float]) -> Mixture:
    """The mixture of the pictures that could be inverted; the others' weight goes to them."""
    kept = [(str(index), weights[row.path]) for index, row in enumerate(rows)]
    return Mixture(tuple(key for key, _ in kept), tuple(weight for _, weight in kept))


def _parse(word: str) -> tuple[str, float]:
    name, equals, number = word.rpartition("=")
    if not equals or not name:
        raise UsageError(
            f"-w {display_name(word)} is not NAME=WEIGHT.", "Write -w picture.png=0.3."
        )
    return name, _number(number, name)


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


def _find(name: str, paths: Sequence[Path]) -> Path:
    """The picture of a name: a path as listed first, then a file name, then a stem."""
    for fits in (
        [path for path in paths if str(path) == name],
        [path for path in paths if os.path.realpath(path) == os.path.realpath(name)],
        [path for path in paths if path.name == name],
        [path for path in paths if path.stem == name],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise UsageError(
                f"{display_name(name)} fits {len(fits)} pictures.", "Give its whole path."
            )
    near = difflib.get_close_matches(name, [path.name for path in paths], n=1)
    raise UsageError(
        f"There is no picture {display_name(name)} among those named.",
        f"Did you mean {display_name(near[0])}?" if near else "",
    )


def _read_csv(file: Path) -> list[tuple[str, float]]:
    shown = display_name(file)
    try:
        with file.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
            lines = [line for line in csv.reader(stream) if line]
    except (OSError, csv.Error) as error:
        raise LatmixError(f"The weights file {shown} cannot be read: {error}.") from error
    if lines and [cell.strip().lower() for cell in lines[0]] == ["name", "weight"]:
        lines = lines[1:]
    if not lines:
        raise UsageError(f"The weights file {shown} is empty.", "Give it the columns name, weight.")
    for number, line in enumerate(lines, start=1):
        if len(line) != 2:
            raise UsageError(f"Line {number} of {shown} is not name,weight.", "Give two columns.")
    return [(name.strip(), _number(weight, name)) for name, weight in lines]
