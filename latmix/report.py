"""What both fronts show of numbers: rich tables, and the JSON of a result. Needs no torch.

Bars and signs carry the meaning, so that nothing depends on colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from latmix.names import display_name

if TYPE_CHECKING:
    from latmix.mixing.statistics import Statistics
    from latmix.store.differences import Difference

CHANNELS_SHOWN = 4
"""Columns of channel means that a table of pictures has room for."""

BAR_CELLS = 10


def plain_table(*columns: str, title: str | None = None) -> Table:
    """The one look of latmix's tables; columns of numbers are right-aligned (name them "#...")."""
    named = any(column.removeprefix("#") for column in columns)
    table = Table(box=None, pad_edge=False, show_header=named, title=title, title_justify="left")
    for column in columns:
        right = column.startswith("#")
        table.add_column(column.removeprefix("#"), justify="right" if right else "left")
    return table


def statistics_table(statistics: Statistics, method: str) -> Table:
    """A mixture's numbers with what each one should be."""
    table = plain_table("", "#", "")
    rows = (
        ("method", method, ""),
        ("norm", f"{statistics.norm:.2f}", f"{statistics.norm_ratio:.3f} of sqrt(L)"),
        ("amplification", f"{statistics.amplification:.3f}", "of what is not split off"),
        ("coherence", f"{statistics.coherence:.3f}", "1: all alike"),
        ("effective N", f"{statistics.effective_count:.2f}", "pictures"),
    )
    for name, value, meaning in rows:
        table.add_row(Text(name), Text(value), Text(meaning, style="dim"))
    return table


def channel_table(statistics: Statistics) -> Table:
    """Per channel: mean, the inputs' own mean, standard deviation, and a signed bar of the mean."""
    table = plain_table("channel", "#mean", "#inputs", "#std", "-0.5  0  +0.5")
    for channel, (mean, own, std) in enumerate(
        zip(
            statistics.channel_mean,
            statistics.input_channel_mean,
            statistics.channel_std,
            strict=True,
        )
    ):
        table.add_row(
            str(channel), f"{mean:+.3f}", f"{own:+.3f}", f"{std:.3f}", signed_bar(mean, 0.5)
        )
    return table


def signed_bar(value: float, limit: float, cells: int = BAR_CELLS) -> str:
    """A bar from the middle to the left (negative) or right, full at `limit`."""
    half = cells // 2
    length = min(half, round(abs(value) / limit * half))
    left = ("█" * length).rjust(half) if value < 0 else " " * half
    right = ("█" * length).ljust(half) if value >= 0 else " " * half
    return f"{left}│{right}"


def weight_bar(weight: float, largest: float, cells: int) -> str:
    """A bar in eighths of a cell, full where the weight is the largest."""
    eighths = round(cells * 8 * weight / largest) if largest > 0 else 0
    whole, part = divmod(eighths, 8)
    return ("█" * whole + (" ▏▎▍▌▋▊▉"[part] if part else "")).ljust(cells)


def picture_table(rows: Sequence[tuple[str, float, float, float, Sequence[float]]]) -> Table:
    """The inputs: name, weight, norm / sqrt(L), angle to the mixture in degrees, channel means.

    Of many channels only those are shown whose means lie furthest from 0.
    """
    channels = range(len(rows[0][4]) if rows else 0)
    furthest = sorted(channels, key=lambda c: -max(abs(row[4][c]) for row in rows))
    shown = sorted(furthest[:CHANNELS_SHOWN])
    means_of = (f"#mean {c}" for c in shown)
    table = plain_table("picture", "#weight", "#norm/√L", "#angle", *means_of)
    for name, weight, ratio, angle, means in rows:
        table.add_row(
            Text(display_name(Path(name).name)),
            f"{weight:.4f}",
            f"{ratio:.3f}",
            f"{angle:.1f}°",
            *(f"{means[c]:+.3f}" for c in shown),
        )
    return table


def failure_lines(failures: Sequence[Any]) -> list[str]:
    """One line for each picture that was left out (`jobs.inversion.Failure`), with the reason."""
    return [f"left out: {failure.reason}" for failure in failures]


def difference_table(rows: Sequence[Difference], left: str, right: str) -> Table:
    """What differs between two results, each under its file's name."""
    table = plain_table("what", display_name(left), display_name(right))
    for column in table.columns:
        column.overflow = "fold"
    table.columns[0].min_width = 30
    for row in rows:
        table.add_row(Text(row.name), Text(row.left), Text(row.right))
    return table
