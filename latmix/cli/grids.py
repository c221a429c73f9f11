"""What `sweep` and `study quality` share: a grid of pictures, what it costs, and making it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latmix.cli import console
from latmix.cli.lists import check_counts, readable_counts, whole_numbers
from latmix.cli.run import Run
from latmix.names import display_name, plural

if TYPE_CHECKING:
    from latmix.jobs.inversion import Inversion
    from latmix.study.cells import MadeCell, Making
    from latmix.study.cost import Cost
    from latmix.study.draws import Draws

USUAL_COUNTS = (2, 8, 32, 64)

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
    """A centroid for every method, N and draw, as a command asks for them.

    Attributes:
        cells: the folder that the pictures are kept in.
    """

    run: Run
    methods: Sequence[str]
    counts: Sequence[int]
    draws: Draws
    cells: Path
    strict: bool

    @property
    def making(self) -> Making:
        """How its pictures are made."""
        from latmix.study.cells import Making

        run = self.run
        return Making(run.generating, run.choices, self.cells, run.bench.batch)


@dataclass(frozen=True)
class MadeGrid:
    """A grid whose pictures are made."""

    inversion: Inversion
    cells: Sequence[MadeCell]


def grid_counts(text: str | None, available: int) -> list[int]:
    """The values of N of -n, ascending; None is what suits that many pictures.

    Raises:
        UsageError: a word is no number of at least 1, or asks for more than there are.
    """
    if text is None:
        return [count for count in USUAL_COUNTS if count <= available] or [available]
    counts = whole_numbers(text, "-n")
    check_counts(counts, available)
    return counts


def find_cost(grid: Grid) -> Cost:
    """What is left to do for the grid.

    Raises:
        LatmixError: the model cannot be loaded, or the store not be read.
    """
    from latmix.jobs.pictures import prompt_template
    from latmix.study.cost import estimate_cost

    run = grid.run
    job = estimate_cost(
        run.bench,
        grid.draws,
        grid.methods,
        grid.counts,
        run.inverting,
        prompt_template(run.choices.prompt),
        grid.making,
    )
    return run.drive(job)


def cost_text(cost: Cost) -> str:
    """The cost in a line."""
    return cost.told(
        f"to invert: {cost.to_invert:,} of {plural(cost.pictures, 'picture')}; "
        f"to generate: {cost.to_generate:,} of {plural(cost.cells, 'centroid')}"
    )


def make_grid(grid: Grid) -> MadeGrid:
    """Say the cost, invert what the grid needs, and make its pictures, as far as that was not done
    before.

    Raises:
        LatmixError: no picture can be read, or too few for the smallest N.
    """
    from latmix.jobs.pictures import prompt_template
    from latmix.study.cells import make_cells, plan_cells
    from latmix.study.draws import invert_draws

    run, bench = grid.run, grid.run.bench
    if not run.quiet:
        console.say(cost_text(find_cost(grid)))
    job = invert_draws(
        bench,
        grid.draws,
        max(grid.counts),
        run.inverting,
        prompt_template(run.choices.prompt),
        strict=grid.strict,
    )
    inversion = run.drive(job)
    run.tell_inversion(inversion)
    counts = readable_counts(grid.counts, len(inversion.rows))
    cells = plan_cells(grid.draws, inversion, grid.methods, counts)
    made = run.drive(make_cells(bench, inversion, cells, grid.making))
    kept = sum(cell.kept for cell in made)
    run.say(
        f"{plural(len(inversion.rows), 'picture')}: {inversion.inverted} inverted, "
        f"{inversion.cached} cached; {plural(len(made), 'centroid')}: {len(made) - kept} made, "
        f"{kept} kept from before"
    )
    return MadeGrid(inversion, made)


def made_json(grid: Grid, made: MadeGrid) -> dict[str, Any]:
    """What was asked for and of which pictures: the same however often the run was stopped."""
    source = grid.run.bench.source
    draws = grid.draws.rows(made.inversion, max(cell.cell.count for cell in made.cells))
    return {
        "model": {"name": source.name, "fingerprint": source.fingerprint},
        "prompt": grid.run.choices.prompt,
        "inversion": made.inversion.settings.as_json(),
        "generation": grid.run.generating.as_json(),
        "methods": list(grid.methods),
        "counts": list(dict.fromkeys(cell.cell.count for cell in made.cells)),
        "repeats": len(grid.draws.orders),
        "seed": grid.draws.seed,
        "draws": [[display_name(row.path) for row in rows] for rows in draws],
        "failures": console.failures_json(made.inversion.failures),
    }


def run_json(made: MadeGrid) -> dict[str, Any]:
    """What this run did, beside what it found."""
    return {
        "cached": made.inversion.cached,
        "inverted": made.inversion.inverted,
        "kept": sum(cell.kept for cell in made.cells),
    }
