"""Methods by numbers of pictures: the sheet of all centroids, and a row of figures for each.

Source: L&K figures 1, 8, 9 and 12.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from latmix.images.pictures import read_picture
from latmix.jobs.progress import Progress
from latmix.measures.qualities import QUALITIES
from latmix.models.pixels import to_pixels
from latmix.names import display_name
from latmix.study.cells import MadeCell
from latmix.study.sheet import Sheet, SheetCell, fitted

SweepRow = dict[str, Any]
"""A cell's figures, by column:

    draw: 0 for the first pictures, else 1, 2, ...
    norm_ratio: |z'| / sqrt(L).
    channel_mean: the largest of the channel means, by size, with its sign.
    bias: the most that a channel mean is away from the unbiased mixture's.
    warning: a sentence, or None where nothing is wrong.
"""


def measure_cells(made: Sequence[MadeCell]) -> Generator[Progress, None, list[SweepRow]]:
    """The figures of every cell, its picture's included.

    Raises:
        PictureError: a picture was removed or damaged meanwhile.
    """
    rows = []
    for done, cell in enumerate(made):
        yield Progress("measure", done, len(made))
        rows.append(_row(cell))
    return rows


def _row(made: MadeCell) -> SweepRow:
    statistics, pixels = made.statistics, to_pixels([read_picture(made.path)])
    pairs = zip(statistics.channel_mean, statistics.input_channel_mean, strict=True)
    return {
        "method": made.cell.method,
        "count": made.cell.count,
        "draw": made.cell.draw,
        "picture": display_name(made.path.name),
        "norm_ratio": statistics.norm_ratio,
        "amplification": statistics.amplification,
        "coherence": statistics.coherence,
        "channel_mean": max(statistics.channel_mean, key=abs),
        "bias": max(abs(mean - unbiased) for mean, unbiased in pairs),
        **{name: float(of(pixels)[0]) for name, of in QUALITIES.items()},
        "warning": statistics.warning,
    }


def sweep_sheet(made: Sequence[MadeCell], rows: Sequence[SweepRow], title: str, side: int) -> Sheet:
    """The sheet: a row for each method, a column for each N and draw.

    Args:
        side: pixels of a picture's longer side.

    Raises:
        PictureError: a picture was removed or damaged meanwhile.
    """
    cells = [each.cell for each in made]
    columns = list(dict.fromkeys((cell.count, cell.draw) for cell in cells))
    methods = list(dict.fromkeys(cell.method for cell in cells))
    places = {
        (each.cell.method, each.cell.count, each.cell.draw): (each.path, row)
        for each, row in zip(made, rows, strict=True)
    }

    def cell(method: str, column: tuple[int, int]) -> SheetCell:
        path, row = places[method, *column]
        numbers = f"norm {row['norm_ratio']:.2f}, x{row['amplification']:.1f}"
        alarming = row["warning"] is not None
        picture = fitted(read_picture(path), side)
        return SheetCell(picture, f"! {numbers}" if alarming else numbers, alarming)

    return Sheet(
        title=title,
        note="norm: |z'| / sqrt(L); x: amplification; !: warned of",
        columns=[f"N = {n}" + (f"  ({draw})" if draw else "") for n, draw in columns],
        rows=[(method, [cell(method, column) for column in columns]) for method in methods],
    )
