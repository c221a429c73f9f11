"""A small text chart: how amplification lets a bias grow with the number of pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from latmix.mixing.verdict import OFFSET_DAMAGING, OFFSET_VISIBLE, law

if TYPE_CHECKING:
    from latmix.mixing.statistics import Statistics

STEP = 0.1
"""Bias from one row to the next."""

LINES = 6
"""A heading, rows for 0.4 down to 0.1, and the axis."""

NARROWEST = 18
LABEL = 3
FARTHEST = 2.0
"""The axis ends at this many times the mixture's own sqrt(N)."""


def bias_chart(statistics: Statistics, columns: int) -> list[str]:
    """The largest channel mean against sqrt(N), in LINES lines of at most `columns` cells.

    Dots are what becomes of the inputs' own bias with nothing split off, by L&K's law; the two
    dashed rows are where damage shows and where it is severe; ● is this mixture. What is above the
    highest row is drawn as ▲ there.
    """
    width = columns - LABEL
    here = math.sqrt(statistics.effective_count)
    end = max(2.0, FARTHEST * here)
    own = max(abs(mean) for mean in statistics.input_channel_mean)
    rows = [[row_fill(row)] * width for row in range(LINES - 1)]
    for column in range(width):
        root = 1 + (end - 1) * column / max(1, width - 1)
        put(rows, column, own * law(statistics.input_channel_mean, root * root), "·")
    at = round((here - 1) / (end - 1) * (width - 1))
    put(rows, at, max(abs(mean) for mean in statistics.channel_mean), "●")
    lines = [f"{row * STEP:.1f}{''.join(cells)}" for row, cells in enumerate(rows)]
    return [f"bias by √N to {end:.0f}, ● here"[:columns], *reversed(lines)]


def row_fill(row: int) -> str:
    """What a row is empty of: thresholds are dashed, and the axis is drawn through."""
    thresholds = (round(OFFSET_VISIBLE / STEP), round(OFFSET_DAMAGING / STEP))
    if row in thresholds:
        return "┄"
    return " " if row else "─"


def put(rows: list[list[str]], column: int, value: float, sign: str) -> None:
    """Draw a sign at a height; one above the chart is ▲ at its top."""
    row = round(value / STEP)
    if row < len(rows):
        rows[row][column] = sign
    elif sign != "·":
        rows[-1][column] = "▲"
