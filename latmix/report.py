"""What both fronts show of numbers: rich tables, and the JSON of a result. Needs no torch.

Bars and signs carry the meaning, so that nothing depends on colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from latmix.mixing.verdict import OFFSET_DAMAGING, OFFSET_VISIBLE, Verdict, offset_verdict
from latmix.names import display_name

if TYPE_CHECKING:
    from latmix.jobs.roundtrip import RoundTrip
    from latmix.mixing.health import Expected, Health
    from latmix.mixing.influence import Inputs
    from latmix.mixing.statistics import Statistics
    from latmix.results.differences import Difference


def plain_table(
    *columns: str, rows: Iterable[Iterable[object]] = (), title: str | None = None
) -> Table:
    """The one look of latmix's tables; columns of numbers are right-aligned (name them "#...").

    Args:
        rows: of cells, none of which is read as markup.
    """
    named = any(column.removeprefix("#") for column in columns)
    table = Table(box=None, pad_edge=False, show_header=named, title=title, title_justify="left")
    for column in columns:
        right = column.startswith("#")
        table.add_column(column.removeprefix("#"), justify="right" if right else "left")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return table


def statistics_table(statistics: Statistics, method: str) -> Table:
    """A mixture's numbers with what each one should be."""
    rows = [("method", method, Text()), ("verdict", statistics.verdict.value, Text())]
    for field in fields(statistics):
        shown, value = field.metadata, getattr(statistics, field.name)
        if shown and value is not None:
            meaning = shown["meaning"].format(statistics)
            rows.append((shown["label"], format(value, shown["form"]), Text(meaning, style="dim")))
    return plain_table("", "#", "", rows=rows)


def channel_table(statistics: Statistics, cells: int = 10) -> Table:
    """Per channel: mean, the inputs' own mean, what amplification would make
    of that with nothing split off, standard deviation, and a bar of the mean with its verdict.

    Args:
        cells: of a bar, on either side.
    """
    figures = ("#mean", "#inputs", "#ampli-\nfied", "#std")
    found, rows = statistics, []
    means = (found.channel_mean, found.input_channel_mean, found.amplified_channel_mean)
    for channel, (*three, std) in enumerate(zip(*means, found.channel_std, strict=True)):
        bar = mean_bar(three[0], three[1], cells)
        rows.append((channel, *(f"{mean:+.3f}" for mean in three), f"{std:.3f}", bar))
    return plain_table("channel", *figures, mean_scale(cells), rows=rows)


MEAN_LIMIT = 0.5
MEAN_CELLS = 10
"""Cells on either side of a bar of a channel's mean: half a tenth each."""


def mean_bar(mean: float, own: float, cells: int = MEAN_CELLS) -> str:
    """A bar of a channel's mean from the middle, with marks where an offset of that size shows and
    where it damages, and a sign for how far the mean is from the inputs' own: ! drifting, !! worse.
    """
    per_cell = MEAN_LIMIT / cells
    length = min(cells, round(abs(mean) / per_cell))
    marks = [round(offset / per_cell) for offset in (OFFSET_VISIBLE, OFFSET_DAMAGING)]
    empty = "".join("┊" if cell in marks else " " for cell in range(1, cells + 1))
    half = "█" * length + empty[length:]
    left, right = (half[::-1], empty) if mean < 0 else (empty[::-1], half)
    sign = {Verdict.DRIFTING: " !", Verdict.DEGENERATE: " !!"}.get(offset_verdict(mean - own), "")
    return f"{left}│{right}{sign}"


def mean_scale(cells: int = MEAN_CELLS) -> str:
    """The heading of `mean_bar`, with its ends over the ends of the bar."""
    low, high = f"-{MEAN_LIMIT:g}", f"+{MEAN_LIMIT:g}"
    return low + "0".center(2 * cells + 1 - len(low) - len(high)) + high


def weight_bar(weight: float, largest: float, cells: int) -> str:
    """A bar in eighths of a cell, full where the weight is the largest."""
    eighths = round(cells * 8 * weight / largest) if largest > 0 else 0
    whole, part = divmod(eighths, 8)
    return ("█" * whole + (" ▏▎▍▌▋▊▉"[part] if part else "")).ljust(cells)


def picture_table(names: Sequence[str], weights: Sequence[float], inputs: Inputs) -> Table:
    """The inputs: weight, angle to the mixture, influence, and the mixture without each."""
    # Room for the names, which say which picture it is, on 80 columns too.
    figures = ("#influence", "#ampli-\nfication", "#largest\nmean", "#norm/√L")
    found = (inputs.influence, inputs.amplification, inputs.largest_mean, inputs.norm_ratio)
    rows = [
        (_file(name), f"{weight:.4f}", f"{angle:.1f}°", *map(_number, numbers))
        for name, weight, angle, *numbers in zip(names, weights, inputs.angle, *found, strict=True)
    ]
    return plain_table("picture", "#weight", "#angle", *figures, rows=rows)


def picture_sentence(names: Sequence[str], inputs: Inputs) -> str:
    """Which picture drives the mixture, and which is nearest to it."""
    nearest = _file(names[inputs.nearest])
    sentence = f"Nearest: {nearest}, at {inputs.angle[inputs.nearest]:.1f}°."
    if inputs.strongest is None:
        return sentence
    change = inputs.influence[inputs.strongest]
    drives = f"{_file(names[inputs.strongest])} drives the mixture"
    if change is not None:
        drives += f": without it, it changes by {change:.2f} of its norm"
    return f"{drives}. {sentence}"


HEALTH = {
    "norm_ratio": ("norm/√L", ".3f"),
    "bias": ("bias", ".3f"),
    "excess_kurtosis": ("kurtosis", "+.3f"),
    "low_share": ("low", ".3f"),
    "correlation_across": ("across", "+.3f"),
    "correlation_down": ("down", "+.3f"),
}
"""How each figure of a `mixing.health.Health` is headed, and its form."""


def health_table(
    names: Sequence[str], latents: Sequence[Health], expected: Mapping[str, Expected]
) -> Table:
    """The latents' health, under what N(0, I) noise has, with its standard deviation; below, the
    mean of each figure, whose bias is that of the mean latent."""
    table = plain_table("latent", *(f"#{head}" for head, _ in HEALTH.values()))
    noise = [expected[figure] for figure in HEALTH]
    table.add_row("noise", *(f"{value.mean:.3f}" for value in noise), style="dim")
    table.add_row("  ±", *(f"{value.spread:.3f}" for value in noise), style="dim")
    rows = [(_file(name), latent) for name, latent in zip(names, latents, strict=True)]
    if len(latents) > 1:
        rows.append(("mean", type(latents[0]).mean(latents)))
    for name, latent in rows:
        cells = (format(getattr(latent, figure), form) for figure, (_, form) in HEALTH.items())
        table.add_row(Text(name), *cells)
    return table


LIKENESS = {"psnr": ("dB", 2), "ssim": ("SSIM", 3), "lpips": ("LPIPS", 3)}
"""How each measure of a `jobs.roundtrip.RoundTrip` is headed, and its digits."""


def round_trip_table(names: Sequence[str], trips: Sequence[RoundTrip]) -> Table:
    """PSNR, SSIM and LPIPS of each picture's reconstructions, and below their means."""
    from latmix.jobs.roundtrip import mean_trip

    figures = ("VAE", "round trip", "against VAE")
    measures = [LIKENESS[name] for name in trips[0]]
    heads = [f"#{figure}\n{measure}" for measure, _ in measures for figure in figures]
    table = plain_table("picture", *heads)
    rows = [(Path(name).name, trip) for name, trip in zip(names, trips, strict=True)]
    if len(trips) > 1:
        rows.append(("mean", mean_trip(trips)))
    for name, trip in rows:
        cells = [
            f"{value:.{digits}f}"
            for (_, digits), likeness in zip(measures, trip.values(), strict=True)
            for value in vars(likeness).values()
        ]
        table.add_row(Text(display_name(name)), *cells)
    return table


def _file(name: str) -> str:
    """A picture's file as it is shown, without its folder."""
    return display_name(Path(name).name)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def difference_table(rows: Sequence[Difference], left: str, right: str) -> Table:
    """What differs between two results, each under its file's name."""
    cells = ((row.name, row.left, row.right) for row in rows)
    table = plain_table("what", display_name(left), display_name(right), rows=cells)
    for column in table.columns:
        column.overflow = "fold"
    return table
