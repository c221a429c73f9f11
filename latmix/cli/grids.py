"""What `sweep` and `study quality` share: a grid of pictures, what it costs, and making it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from latmix.cli import console
from latmix.cli.lists import check_counts, readable_counts, whole_numbers
from latmix.cli.options import option
from latmix.cli.run import Run
from latmix.names import display_name, plural

if TYPE_CHECKING:
    from latmix.jobs.inversion import Inversion
    from latmix.study.cells import Grid, MadeCell

USUAL_COUNTS = (2, 8, 32, 64)

Counts = Annotated[
    str | None,
    option(
        "Numbers of pictures, with commas between them.  [default: those of 2,8,32,64 that "
        "there are pictures for]",
        "-n",
        "--counts",
    ),
]


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


def make_grid(run: Run, grid: Grid) -> MadeGrid:
    """Say the cost, invert what the grid needs, and make its pictures, as far as that was not done
    before.

    Raises:
        LatmixError: no picture can be read, or too few for the smallest N.
    """
    from latmix.study.cells import invert_grid, make_cells
    from latmix.study.cost import estimate_cost

    if not run.quiet:
        console.say(str(run.drive(estimate_cost(run.bench, grid))))
    inversion = run.drive(invert_grid(run.bench, grid))
    run.tell_inversion(inversion)
    grid = replace(grid, counts=readable_counts(grid.counts, len(inversion.rows)))
    made = run.drive(make_cells(run.bench, inversion, grid))
    kept = sum(cell.kept for cell in made)
    run.say(
        f"{plural(len(inversion.rows), 'picture')}: {inversion.inverted} inverted, "
        f"{inversion.cached} cached; {plural(len(made), 'centroid')}: {len(made) - kept} made, "
        f"{kept} kept from before"
    )
    return MadeGrid(inversion, made)


def made_json(run: Run, grid: Grid, made: MadeGrid) -> dict[str, Any]:
    """What was asked for and of which pictures: the same however often the run was stopped."""
    source = run.bench.source
    draws = grid.draws.rows(made.inversion, max(cell.cell.count for cell in made.cells))
    return {
        "model": {"name": source.name, "fingerprint": source.fingerprint},
        "prompt": run.choices.prompt,
        "inversion": made.inversion.settings.as_json(),
        "generation": run.generating.as_json(),
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
