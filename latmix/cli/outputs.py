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
        drawn: Sequence[str] = (".png", ".svg", ".pdf"),
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

    def write(self, writers: Sequence[tuple[Sequence[str], Callable[[Path], None]]]) -> None:
        """Give each file to the writer of its suffix, and name it on stdout when it is there."""
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
