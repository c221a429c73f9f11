"""Jobs that read and write weights and lists of pictures, for a screen that must not wait."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from latmix.jobs.progress import Progress


@dataclass(frozen=True)
class WeightsRead:
    """Weights by picture, all positive, and where they were written."""

    weights: dict[Path, float]
    source: str


@dataclass(frozen=True)
class TextWritten:
    """A text was written to a file."""

    path: Path
    what: str


def read_weights_file(
    file: Path, pictures: Sequence[Path]
) -> Generator[Progress, None, WeightsRead]:
    """The weights of a CSV file, matched to pictures.

    Raises:
        LatmixError: it cannot be read, or does not fit the pictures.
    """
    from latmix.names import display_name
    from latmix.session.weight_tables import match_weights, read_weights

    yield Progress("weights", 0, 1)
    return WeightsRead(match_weights(read_weights(file), pictures), display_name(file.name))


def read_weights_text(
    text: str, pictures: Sequence[Path]
) -> Generator[Progress, None, WeightsRead]:
    """The same of a pasted text."""
    from latmix.session.weight_tables import match_weights, parse_weights

    yield Progress("weights", 0, 1)
    return WeightsRead(match_weights(parse_weights(text), pictures), "the pasted text")


def write_text(file: Path, text: str, what: str) -> Generator[Progress, None, TextWritten]:
    """Write a text to a file, whole or not at all.

    Raises:
        StoreError: it cannot be written.
    """
    from latmix.disk import write_durably

    yield Progress("write", 0, 1)
    write_durably(file, [text.encode("utf-8", "surrogateescape")])
    return TextWritten(file, what)
