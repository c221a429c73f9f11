"""What the studies share: lists of numbers, and the files that -o names, one or several."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latmix.cli import run
from latmix.errors import UsageError
from latmix.names import display_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from latmix.study.sheets import Sheet

Writer = tuple[Sequence[str], Callable[[Path], None]]
"""Suffixes, and what writes a file of theirs."""

FIGURES = (".png", ".svg", ".pdf")

Files = Annotated[
    list[Path] | None,
    typer.Option(
        "-o",
        "--output",
        help="A file to write, of the kind that its suffix says; may be repeated.",
        show_default=False,
    ),
]

Draws = Annotated[int, typer.Option(min=1, help="Random centroids at each N.")]

LawName = Annotated[
    str, typer.Option(help="paper: latents of unit variance; spread: of the variance they have.")
]

Shown = Annotated[
    str | None,
    typer.Option(
        "--channels",
        help="Channels shown, as 0,3.  [default: the most biased]",
        show_default=False,
    ),
]

Seed = Annotated[int, typer.Option(help="Of what is drawn at random.")]


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


def check_counts(name: str, counts: Sequence[int] | None, pictures: int) -> None:
    """Raises: UsageError: an N beyond the pictures of a folder."""
    if counts and max(counts) > pictures:
        raise UsageError(
            f"-n asks for centroids of {max(counts)} pictures, and {name} has {pictures}.",
            f"Leave the values above {pictures} out, or give it more pictures.",
        )


def check_channels(channels: Sequence[int] | None, known: int) -> None:
    """Raises: UsageError: a channel that the model's latents do not have."""
    if channels and max(channels) >= known:
        raise UsageError(
            f"There is no channel {max(channels)}: the model's latents have {known}.",
            f"Name channels from 0 to {known - 1}.",
        )


@dataclass(frozen=True)
class Outputs:
    """The files of one study, each of a kind that the study can write.

    Attributes:
        undrawn: figures that cannot be drawn, because matplotlib is missing.
    """

    paths: tuple[Path, ...]
    undrawn: tuple[Path, ...] = ()

    @classmethod
    def of(
        cls,
        paths: Sequence[Path] | None,
        suffixes: Sequence[str],
        inputs: Sequence[Path] = (),
        drawn: Sequence[str] = FIGURES,
    ) -> Outputs:
        """Find out before the work what can be written; says so where matplotlib is missing.

        Args:
            suffixes: those that the study writes.
            inputs: files that must not be written over.
            drawn: those of them that need matplotlib.

        Raises:
            UsageError: another suffix, one file twice, or one of the inputs.
            LatmixError: a file cannot be written.
        """
        from latmix.images import check_writable
        from latmix.study import figures

        given = list(paths or ())
        for path in given:
            if path.suffix.lower() not in suffixes:
                raise UsageError(
                    f"The output {display_name(path)} is of no kind that this study writes.",
                    f"End its name in {', '.join(suffixes[:-1])} or {suffixes[-1]}.",
                )
        targets = [check_writable(path) for path in given]
        if len(set(targets)) < len(targets):
            raise UsageError("One output is named twice.", "Give each its own name.")
        for path, target in zip(given, targets, strict=True):
            if target in {other.resolve() for other in inputs}:
                raise UsageError(
                    f"The output {display_name(path)} is one of the pictures.",
                    "Give it another name.",
                )
        undrawn = [path for path in given if path.suffix.lower() in drawn]
        if figures.is_available() or not undrawn:
            return cls(tuple(given))
        run.say(f"warning: {figures.MISSING}")
        return cls(tuple(path for path in given if path not in undrawn), tuple(undrawn))

    def write(self, writers: Sequence[Writer]) -> None:
        """Give each file to the writer of its suffix."""
        for path in self.paths:
            for suffixes, write in writers:
                if path.suffix.lower() in suffixes:
                    write(path)

    def names(self) -> list[str]:
        return [display_name(path) for path in self.paths]

    def exit_code(self, otherwise: int) -> int:
        """1 where a figure could not be drawn."""
        for path in self.undrawn:
            run.say(f"latmix: {display_name(path)} was not drawn.")
        return 1 if self.undrawn else otherwise


def figure_writer(draw: Callable[[], Figure]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        from latmix.study.figures import write_figure

        write_figure(draw, path)

    return write


def sheet_writers(
    sheet: Sheet, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> list[Writer]:
    """What writes a contact sheet: as PNG by Pillow, as PDF or SVG by matplotlib, its CSV."""
    from latmix.images import write_whole
    from latmix.study.sheets import draw_sheet_figure, sheet_bytes
    from latmix.study.tables import write_csv

    return [
        ((".png",), lambda path: write_whole(sheet_bytes(sheet), path)),
        ((".svg", ".pdf"), figure_writer(lambda: draw_sheet_figure(sheet))),
        ((".csv",), lambda path: write_csv(path, columns, rows)),
    ]
