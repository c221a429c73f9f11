"""Weights as the command line gives them: `-w name=0.3` and CSV files, matched to pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from latmix.errors import UsageError
from latmix.mixing.mixture import Mixture
from latmix.mixing.written import match_weights, parse_word, read_weights

if TYPE_CHECKING:
    from latmix.jobs.pictures import PictureRow


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
    pairs = read_weights(file) if file else [parse_word(word) for word in named or ()]
    return match_weights(pairs, paths) if pairs else {}


def mixture_of_rows(rows: Iterable[PictureRow], weights: dict[Path, float]) -> Mixture:
    """The mixture of the pictures that could be inverted; the others' weight goes to them."""
    kept = [(str(index), weights[row.path]) for index, row in enumerate(rows)]
    return Mixture(tuple(key for key, _ in kept), tuple(weight for _, weight in kept))
