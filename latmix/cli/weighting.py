"""Weights as the command line gives them: `-w name=0.3` and CSV files, matched to pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from latmix.cli.options import WeightOptions
from latmix.errors import UsageError
from latmix.mixing.mixture import normalised
from latmix.session.weight_tables import match_weights, parse_word, read_weights

if TYPE_CHECKING:
    from latmix.jobs.pictures import PictureRow


def given_weights(paths: Sequence[Path], options: WeightOptions) -> dict[Path, float]:
    """The pictures with a positive weight, in the order of `paths`; empty where none are given.

    Raises:
        UsageError: a word that is no weight, a name that is not there or is ambiguous, weights that
            cannot be meant.
    """
    named, file = options.weights, options.weight_file
    if named and file:
        raise UsageError("-w and --weights exclude each other.", "Leave one of them out.")
    pairs = read_weights(file) if file else [parse_word(word) for word in named or ()]
    return match_weights(pairs, paths) if pairs else {}


def weights_of(rows: Iterable[PictureRow], weights: dict[Path, float]) -> tuple[float, ...]:
    """Of the pictures that could be inverted; the others' weight goes to them."""
    return tuple(normalised(weights[row.path] for row in rows))
