"""What `sweep` and `study quality` share: lists of methods and numbers, the grid of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latmix.cli import run
from latmix.cli.options import InversionOptions, ModelOptions, PictureOptions
from latmix.errors import LatmixError, UsageError
from latmix.mixing.grid import parse_method
from latmix.names import display_name, plural

if TYPE_CHECKING:
    from latmix.jobs.inversion import Inversion
    from latmix.jobs.workbench import Workbench
    from latmix.sampling.settings import GenerationSettings
    from latmix.study.cells import MadeCell
    from latmix.study.draws import Draws
    from latmix.study.outputs import Outputs

USUAL_COUNTS = (2, 8, 32, 64)

Methods = Annotated[str, typer.Option("--methods", "-m", help="Methods, with commas between them.")]
Counts = Annotated[
    str | None,
    typer.Option(
        "-n",
        "--counts",
        help="Numbers of pictures, with commas between them.  [default: those of 2,8,32,64 that "
        "there are pictures for]",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Grid:
    """A centroid for every method, N and draw, as a command asks for them."""

    pictures: PictureOptions
    model: ModelOptions
    options: InversionOptions
    guidance: float | None
    methods: Sequence[str]
    counts: Sequence[int]
    draws: Draws
    outputs: Outputs
    quiet: bool

    @property
    def prompt(self) -> str:
        return run.template(self.options, self.pictures.demo)

    def generation(self, bench: Workbench) -> GenerationSettings:
        return run.generation_settings(self.guidance, self.options, bench.source)


@dataclass(frozen=True)
class MadeGrid:
    """A grid whose pictures are made."""

    inversion: Inversion
    generation: GenerationSettings
    cells: Sequence[MadeCell]


def parse_methods(text: str) -> list[str]:
    """The methods of a list, each once.

    Raises:
        UsageError: there are none. ValueError: one is unknown; the sentence names the nearest.
    """
    names = [parse_method(word.strip()).name for word in text.split(",") if word.strip()]
    if not names:
        raise UsageError("--methods names no method.", "Write --methods fix/0,nin/chm.")
    return list(dict.fromkeys(names))


def parse_counts(text: str | None, available: int) -> list[int]:
    """The numbers of a list, each once, ascending; None is what suits that many pictures.

    Raises:
        UsageError: a word is no number of at least 1, or asks for more than there are.
    """
    if text is None:
        return [count for count in USUAL_COUNTS if count <= available] or [available]
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and int(word) > 0 for word in words):
        raise UsageError(
            f"-n {display_name(text)} is not a list of numbers of at least 1.", "Write -n 2,8,32."
        )
    counts = sorted({int(word) for word in words})
    if counts[-1] > available:
        raise UsageError(
            f"-n asks for {plural(counts[-1], 'picture')}, but there are {available:,}.",
            "Leave out what is larger, or name more pictures.",
        )
    return counts


def make_grid(bench: Workbench, grid: Grid) -> MadeGrid:
    """Invert what the grid needs, and make its pictures, as far as that was not done before.

    Raises:
        LatmixError: no picture can be read, or too few for the smallest N.
    """
    from latmix.jobs.inversion import prompt_template
    from latmix.study.cells import Making, make_cells, plan_cells
    from latmix.study.draws import invert_draws

    settings = run.inversion_settings(grid.options, bench.source)
    generation = grid.generation(bench)
    job = invert_draws(
        bench,
        grid.draws,
        max(grid.counts),
        settings,
        prompt_template(grid.prompt),
        batch=grid.model.batch,
        strict=grid.pictures.strict,
    )
    inversion = run.drive(job, grid.quiet)
    run.tell_inversion(bench, inversion, grid.quiet)
    cells = plan_cells(grid.draws, inversion, grid.methods, grid.counts)
    _tell_lost(grid.counts, {cell.count for cell in cells}, len(inversion.rows))
    making = Making(generation, grid.prompt, grid.outputs.cells, grid.model.batch)
    made = run.drive(make_cells(bench, inversion, cells, making), grid.quiet)
    kept = sum(cell.kept for cell in made)
    run.say(
        f"{plural(len(inversion.rows), 'picture')}: {inversion.inverted} inverted, "
        f"{inversion.cached} cached; {plural(len(made), 'centroid')}: {len(made) - kept} made, "
        f"{kept} kept from before",
        grid.quiet,
    )
    return MadeGrid(inversion, generation, made)


def _tell_lost(asked: Iterable[int], left: set[int], readable: int) -> None:
    """Say which N are left out because too few pictures can be read."""
    lost = [count for count in asked if count not in left]
    if lost and not left:
        raise LatmixError(
            f"Only {plural(readable, 'picture')} can be read, too few for N = {lost[0]}.",
            "The lines above say why; ask for fewer with -n.",
        )
    for count in lost:
        run.say(f"left out: N = {count}: only {plural(readable, 'picture')} can be read")


def made_json(bench: Workbench, grid: Grid, made: MadeGrid) -> dict[str, Any]:
    """What was asked for and of which pictures: the same however often the run was stopped."""
    draws = grid.draws.rows(made.inversion, max(cell.cell.count for cell in made.cells))
    return {
        "output": display_name(grid.outputs.picture),
        "model": {"name": bench.source.name, "fingerprint": bench.source.fingerprint},
        "prompt": grid.prompt,
        "inversion": made.inversion.settings.as_json(),
        "generation": made.generation.as_json(),
        "methods": list(grid.methods),
        "counts": list(dict.fromkeys(cell.cell.count for cell in made.cells)),
        "repeats": len(grid.draws.orders),
        "seed": grid.draws.seed,
        "draws": [[display_name(row.path) for row in rows] for rows in draws],
        "failures": run.failures_json(made.inversion.failures),
    }


def run_json(made: MadeGrid) -> dict[str, Any]:
    """What this run did, beside what it found."""
    return {
        "cached": made.inversion.cached,
        "inverted": made.inversion.inverted,
        "kept": sum(cell.kept for cell in made.cells),
    }
