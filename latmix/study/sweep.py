"""Methods by numbers of pictures: the sheet of all centroids, and a row of figures for each.

Source: L&K figures 1, 8, 9 and 12.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from latmix.images.pictures import read_picture
from latmix.jobs.progress import Progress
from latmix.measures.qualities import QUALITIES
from latmix.models.pixels import to_pixels
from latmix.names import display_name
from latmix.study.cells import MadeCell
from latmix.study.sheet import Sheet, SheetCell, fitted


@dataclass(frozen=True)
class SweepRow:
    """A cell's figures.

    Attributes:
        draw: 0 for the first pictures, else 1, 2, ...
        norm_ratio: |z'| / sqrt(L).
        channel_mean: the largest of the channel means, by size, with its sign.
        bias: the most that a channel mean is away from the unbiased mixture's.
        warning: a sentence, or None where nothing is wrong.
    """

    method: str
    count: int
    draw: int
    picture: str
    norm_ratio: float
    amplification: float
    coherence: float
    channel_mean: float
    bias: float
    sharpness: float
    contrast: float
    saturation: float
    warning: str | None


def measure_cells(made: Sequence[MadeCell]) -> Generator[Progress, None, list[SweepRow]]:
    """The figures of every cell, its picture's included.

    Raises:
        PictureError: a picture was removed or damaged meanwhile.
    """
    rows = []
    for done, cell in enumerate(made):
        yield Progress("measure", done, len(made))
        rows.append(_row(cell, picture_qualities(cell.path)))
    return rows


def picture_qualities(path: Path) -> dict[str, float]:
    """Sharpness, contrast and saturation of a picture."""
    pixels = to_pixels([read_picture(path)])
    return {name: float(of(pixels)[0]) for name, of in QUALITIES.items()}


def _row(made: MadeCell, qualities: Mapping[str, float]) -> SweepRow:
    statistics = made.statistics
    pairs = zip(statistics.channel_mean, statistics.input_channel_mean, strict=True)
    return SweepRow(
        method=made.cell.method,
        count=made.cell.count,
        draw=made.cell.draw,
        picture=display_name(made.path.name),
        norm_ratio=statistics.norm_ratio,
        amplification=statistics.amplification,
        coherence=statistics.coherence,
        channel_mean=max(statistics.channel_mean, key=abs),
        bias=max(abs(mean - unbiased) for mean, unbiased in pairs),
        warning=statistics.warning,
        **qualities,
    )


def sweep_sheet(made: Sequence[MadeCell], rows: Sequence[SweepRow], title: str, side: int) -> Sheet:
    """The sheet: a row for each method, a column for each N and draw.

    Args:
        side: pixels of a picture's longer side.

    Raises:
        PictureError: a picture was removed or damaged meanwhile.
    """
    columns = list(dict.fromkeys((row.count, row.draw) for row in rows))
    places = {(r.method, r.count, r.draw): (m.path, r) for m, r in zip(made, rows, strict=True)}
    methods = list(dict.fromkeys(row.method for row in rows))

    def cell(method: str, column: tuple[int, int]) -> SheetCell:
        path, row = places[method, *column]
        numbers = f"norm {row.norm_ratio:.2f}, x{row.amplification:.1f}"
        alarming = row.warning is not None
        picture = fitted(read_picture(path), side)
        return SheetCell(picture, f"! {numbers}" if alarming else numbers, alarming)

    return Sheet(
        title=title,
        note="norm: |z'| / sqrt(L); x: amplification; !: warned of",
        columns=[f"N = {n}" + (f"  ({draw})" if draw else "") for n, draw in columns],
        rows=[(method, [cell(method, column) for column in columns]) for method in methods],
    )
