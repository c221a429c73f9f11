"""Lists in options, with commas between: numbers, channels, methods, and values of N."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated

from latmix.cli import console
from latmix.cli.options import option
from latmix.errors import LatmixError, UsageError
from latmix.mixing.grid import parse_method
from latmix.names import display_name, plural

Methods = Annotated[str, option("Methods, with commas between them.", "--methods", "-m")]

PromptOfDemo = Annotated[str | None, option("Take the prompt of these built-in pictures.")]

Channels = Annotated[
    str | None, option("Channels shown, as 0,3.  [default: the most biased]", "--channels")
]


def numbers(text: str, option: str) -> list[float]:
    """The numbers of "0,0.2,0.4".

    Raises:
        UsageError: one of them is none.
    """
    try:
        values = [float(word) for word in text.split(",")]
    except ValueError:
        values = [math.nan]
    if not all(math.isfinite(value) for value in values):
        raise UsageError(
            f"{option} {display_name(text)} is not a list of numbers.",
            f"Write numbers with commas between: {option} 0,0.2,0.4.",
        )
    return values


def whole_numbers(text: str, option: str, least: int = 1) -> list[int]:
    """The whole numbers of "1,4,16", each once, in order.

    Raises:
        UsageError: one of them is none, or less than `least`.
    """
    words = [word.strip() for word in text.split(",")]
    fits = all(w.isascii() and w.isdigit() and len(w) < 10 and int(w) >= least for w in words)
    if not fits:
        raise UsageError(
            f"{option} {display_name(text)} is not a list of whole numbers from {least}.",
            f"Write numbers with commas between: {option} 1,4,16.",
        )
    return sorted({int(word) for word in words})


def method_names(text: str) -> list[str]:
    """The methods of "fix/0,nin/chm", each once.

    Raises:
        UsageError: there are none. ValueError: one is unknown; the sentence names the nearest.
    """
    return names(text, "method", lambda word: parse_method(word).name, "fix/0,nin/chm")


def names(text: str, kind: str, name: Callable[[str], str], example: str) -> list[str]:
    """What the words of a list name, each once.

    Args:
        kind: of what is named; the option is its plural.
        name: of what a word says.

    Raises:
        UsageError: there are none.
    """
    found = dict.fromkeys(name(word.strip()) for word in text.split(",") if word.strip())
    if not found:
        raise UsageError(f"--{kind}s names no {kind}.", f"Write --{kind}s {example}.")
    return list(found)


def check_channels(channels: Sequence[int] | None, known: int) -> None:
    """Raises: UsageError: a channel that the model's latents do not have."""
    if channels and max(channels) >= known:
        raise UsageError(
            f"There is no channel {max(channels)}: the model's latents have {known}.",
            f"Name channels from 0 to {known - 1}.",
        )


def check_counts(counts: Sequence[int] | None, pictures: int, folder: str = "") -> None:
    """Raises: UsageError: an N beyond the pictures that there are."""
    if counts and max(counts) > pictures:
        there = f"{folder} has" if folder else "there are"
        raise UsageError(
            f"-n asks for {plural(max(counts), 'picture')}, but {there} {pictures:,}.",
            f"Leave the values above {pictures:,} out, or name more pictures.",
        )


def readable_counts(asked: Sequence[int], readable: int, folder: str = "") -> list[int]:
    """The values of N that enough pictures could be read for; the others are named on stderr.

    Raises:
        LatmixError: there are none.
    """
    left = [count for count in asked if count <= readable]
    of = f"{plural(readable, 'picture')} of {folder}" if folder else plural(readable, "picture")
    if not left:
        raise LatmixError(
            f"Only {of} can be read, too few for N = {min(asked)}.",
            "The lines above say why; ask for fewer with -n.",
        )
    for count in asked:
        if count not in left:
            console.say(f"left out: N = {count}: only {of} can be read")
    return left
