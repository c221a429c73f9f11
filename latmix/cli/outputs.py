"""What the studies write: the files that -o names, each of the kind that its suffix says.

One rule for all: -o may be repeated, and what can be written is known before the work starts.
`sweep` and `study quality`, whose pictures take long, also leave their numbers as CSV and JSON
beside the first file, and the pictures in a folder of its name, where they are found again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from latmix.cli import console
from latmix.cli.options import option
from latmix.errors import LatmixError, UsageError
from latmix.names import display_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from latmix.jobs.pictures import Failure
    from latmix.study.cost import NetworkCost
    from latmix.study.sheet import Sheet

Writers = dict[str, Callable[[Path], None]]
"""What writes a file, by its suffix."""

VECTORS = (".svg", ".pdf")

FIGURES = (".png", *VECTORS)

TABLES = (".csv", ".json")

DryRun = Annotated[bool, option("Only say what it would cost.", "--dry-run")]

LARGEST_SEED = 2**32 - 1

Seed = Annotated[int, option("Of what is drawn at random.", least=0, most=LARGEST_SEED)]


@dataclass(frozen=True)
class StudyOptions:
    """What a study writes and says."""

    output: Annotated[
        list[Path] | None,
        option(
            "A file to write, of the kind that its suffix says; may be repeated.", "-o", "--output"
        ),
    ] = None
    open: Annotated[bool, option("Open the first picture in the viewer.", "--open/--no-open")] = (
        False
    )
    json: Annotated[bool, option("JSON on stdout.", "--json")] = False
    quiet: Annotated[bool, option("No progress, no notes.", "--quiet", "-q")] = False

    def tell_cost(self, cost: NetworkCost) -> int:
        """What a dry run answers; its exit code."""
        if self.json:
            console.print_json(asdict(cost))
        else:
            console.screen().print(str(cost))
        return 0


@dataclass(frozen=True)
class Findings:
    """What a study found, as all that it is written and shown as.

    Attributes:
        content: as JSON; with the same content a study writes the same bytes.
        rows: as CSV; each holds all columns.
        drawn: what writes its figures.
        show: prints its tables.
        failures: pictures that were left out.
        of_this_run: what this run did, which is answered and in no file.
    """

    content: dict[str, Any]
    rows: Sequence[Mapping[str, object]]
    drawn: Writers
    show: Callable[[], None]
    failures: Sequence[Failure] = ()
    of_this_run: Mapping[str, Any] = field(default_factory=dict)


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
        named: Sequence[Path] | None,
        suffixes: Sequence[str] = (*FIGURES, *TABLES),
        inputs: Iterable[Path] = (),
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
        from latmix.images.png import check_writable
        from latmix.study import figures

        given = list(named or ())
        for path in given:
            if path.suffix.lower() not in suffixes:
                raise UsageError(
                    f"The output {display_name(path)} is of no kind that this study writes.",
                    f"End its name in {', '.join(suffixes[:-1])} or {suffixes[-1]}.",
                )
        targets = [check_writable(path) for path in given]
        _check_distinct(targets)
        taken = {path.resolve() for path in inputs}
        for path, target in zip(given, targets, strict=True):
            if target in taken:
                raise UsageError(
                    f"The output {display_name(path)} is one of the pictures.",
                    "Give it another name.",
                )
        undrawn = [path for path in given if path.suffix.lower() in drawn]
        if figures.is_available() or not undrawn:
            return cls(tuple(given))
        console.say(f"warning: {figures.MISSING}")
        return cls(tuple(path for path in given if path not in undrawn), tuple(undrawn))

    def __add__(self, other: Outputs) -> Outputs:
        """Both, to be told of together. Raises: UsageError: a file of both."""
        every = self.paths + other.paths + self.undrawn + other.undrawn
        _check_distinct([path.resolve() for path in every])
        return Outputs(self.paths + other.paths, self.undrawn + other.undrawn)

    def write(self, findings: Findings) -> None:
        """Give each file to what writes its kind."""
        from latmix.study.tables import write_csv, write_json

        writers = {
            ".csv": lambda path: write_csv(path, findings.rows),
            ".json": lambda path: write_json(path, findings.content),
            **findings.drawn,
        }
        for path in self.paths:
            writers[path.suffix.lower()](path)

    def tell(self, options: StudyOptions, findings: Findings) -> int:
        """Report findings that are written: as JSON, or shown as tables, with the files' names.

        Returns:
            the exit code: 1 where a figure could not be drawn.
        """
        names = [display_name(path) for path in self.paths]
        if options.json:
            answer = {**findings.content, **findings.of_this_run, "outputs": names}
            console.print_json(answer)
        else:
            findings.show()
            for name in names:
                console.screen().print(name)
        shown = [path for path in self.paths if path.suffix.lower() not in TABLES]
        if options.open and shown:
            from latmix.viewer import open_picture

            console.say(open_picture(shown[0]).message, options.quiet)
        for path in self.undrawn:
            console.say(f"latmix: {display_name(path)} was not drawn.")
        return 1 if self.undrawn else console.exit_code(findings.failures)

    def finish(self, options: StudyOptions, findings: Findings) -> int:
        """Write and report findings; the exit code."""
        self.write(findings)
        return self.tell(options, findings)


def _check_distinct(targets: Sequence[Path]) -> None:
    if len(set(targets)) < len(targets):
        raise UsageError("One output is named twice.", "Give each its own name.")


def find_kept(
    named: Sequence[Path] | None,
    study: str,
    pictures: Sequence[Path],
    drawn: Sequence[str] = FIGURES,
) -> tuple[Outputs, Path]:
    """The files of a study that keeps its pictures, and the folder that it keeps them in.

    The files are those named, else FOLDER-STUDY.png here (without matplotlib, where it would have
    to be drawn, the numbers only), and the CSV and the JSON beside the first.

    Raises:
        UsageError, LatmixError: as `Outputs.of`; the folder's name is taken by a file.
    """
    from latmix.results.names import folder_name
    from latmix.study import figures

    if named:
        paths = list(named)
    else:
        is_drawn = ".png" not in drawn or figures.is_available()
        if not is_drawn:
            console.say(f"note: {figures.MISSING}")
        paths = [Path(f"{folder_name(pictures)}-{study}{'.png' if is_drawn else '.csv'}")]
    beside = [paths[0].with_suffix(suffix) for suffix in TABLES]
    paths += [path for path in beside if path not in paths]
    cells = paths[0].with_name(f"{paths[0].stem}-cells")
    if cells.exists() and not cells.is_dir():
        raise LatmixError(
            f"The pictures are kept in {display_name(cells)}, which is no folder.",
            "Give another name with -o, or move that file.",
        )
    return Outputs.of(paths, inputs=pictures, drawn=drawn), cells


def figure_writers(draw: Callable[[], Figure], suffixes: Sequence[str] = FIGURES) -> Writers:
    """What writes a figure, by matplotlib."""

    def write(path: Path) -> None:
        from latmix.study.figures import write_figure

        write_figure(draw, path)

    return dict.fromkeys(suffixes, write)


def sheet_writers(make: Callable[[], Sheet]) -> Writers:
    """What writes a contact sheet: as PNG by Pillow, as PDF or SVG by matplotlib."""
    from latmix.images.png import MADE_HERE, write_png
    from latmix.study.sheet import draw_sheet
    from latmix.study.sheet_figure import draw_sheet_figure

    as_png = {".png": lambda path: write_png(draw_sheet(make()), path, MADE_HERE)}
    return as_png | figure_writers(lambda: draw_sheet_figure(make()), VECTORS)
