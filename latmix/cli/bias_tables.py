"""What `study bias` and `study recipe` share: the draws, and JSON, CSV, chart and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from latmix.cli import console
from latmix.cli.options import option
from latmix.cli.outputs import Findings, figure_writers

if TYPE_CHECKING:
    from latmix.study.bias import BiasSeries, Drawing, Law, Point

SHOWN_CHANNELS = 3

INTERVAL = "95 % of the draws"

Draws = Annotated[int, option("Random centroids at each N.", least=1)]

LawName = Annotated[
    str, option("paper: latents of unit variance; spread: of the variance they have.")
]


def most_biased(all_series: Sequence[BiasSeries]) -> list[int]:
    """The channels whose mean is largest in any folder."""
    means = zip(*(series.input_channel_mean for series in all_series), strict=True)
    size = {channel: max(abs(mean) for mean in row) for channel, row in enumerate(means)}
    return sorted(sorted(size, key=lambda c: -size[c])[:SHOWN_CHANNELS])


def bias_findings(
    all_series: Sequence[BiasSeries],
    channels: Sequence[int] | None,
    model: str,
    drawing: Drawing,
    **about: Any,
) -> Findings:
    """Series as all that they are written as.

    Args:
        channels: those shown; None are the most biased.
        about: what stands in the JSON before the series, beside the model and the drawing.
    """
    from latmix.study.bias_figure import draw_bias

    shown = channels or most_biased(all_series)
    content = {
        "model": model,
        "method": drawing.method,
        "draws": drawing.draws,
        "seed": drawing.seed,
        "interval": INTERVAL,
        **about,
        "series": [series_json(series) for series in all_series],
    }
    drawn = figure_writers(lambda: draw_bias(all_series, shown))
    return Findings(
        content, list(csv_rows(all_series)), drawn, lambda: print_bias(all_series, shown)
    )


def csv_rows(all_series: Sequence[BiasSeries]) -> Iterator[dict[str, object]]:
    for series in all_series:
        for point in series.points:
            law = series.expected(point.count)
            values = [("amplification", point.amplification, law)]
            values.append(("norm_ratio", point.norm_ratio, None))
            for channel, mean in enumerate(point.channel_mean):
                law = series.expected(point.count, channel)
                values.append((f"channel_mean_{channel}", mean, law))
            start = {"series": series.name, "n": point.count, "draws": point.draws}
            for quantity, value, law in values:
                yield {**start, "quantity": quantity, **asdict(value), "law": law}


def series_json(series: BiasSeries) -> dict[str, Any]:
    points = [
        {
            "n": point.count,
            "draws": point.draws,
            "amplification": asdict(point.amplification),
            "law": series.expected(point.count),
            "norm_ratio": asdict(point.norm_ratio),
            "channel_mean": [asdict(mean) for mean in point.channel_mean],
        }
        for point in series.points
    ]
    return {
        "name": series.name,
        "pictures": series.pictures,
        "input_channel_mean": list(series.input_channel_mean),
        "law": asdict(series.law) if series.law else None,
        "points": points,
    }


def print_bias(all_series: Sequence[BiasSeries], channels: Sequence[int]) -> None:
    """The chart of the most biased channel, the numbers by N, and the fitted law."""
    screen = console.screen()
    worst = max(channels, key=lambda c: max(abs(s.input_channel_mean[c]) for s in all_series))
    _print_chart(all_series, worst)
    screen.print(f"mean, and from low to high {INTERVAL}:")
    means = (f"#mean {channel}" for channel in channels)
    heads = ("", "#N", "#draws", "#alpha", "#low", "#high", "#law", *means)
    points = ((series, point) for series in all_series for point in series.points)
    console.print_table(heads, (_point_cells(*pair, channels) for pair in points))
    laws = [(series, series.law) for series in all_series if series.law]
    if laws:
        screen.print("the law: alpha = 1/sqrt(b² + s²/N)")
        heads = ("", "#pictures", "#b", "#s", "#limit 1/b", "#R²", "#residual")
        console.print_table(heads, (_law_cells(*pair) for pair in laws))
    else:
        console.say("lin amplifies nothing: no law is fitted.")


def _print_chart(all_series: Sequence[BiasSeries], channel: int) -> None:
    from latmix.study.chart import Plot

    plots = []
    for series in all_series:
        points = [(point.count, point.channel_mean[channel].mean) for point in series.points]
        plots.append(Plot(series.name, points, series.curve(channel)))
    ticks = sorted({point.count for series in all_series for point in series.points})
    label = f"mean of channel {channel} (· the law)"
    console.print_chart(plots, x_label="N", y_label=label, x_ticks=ticks)


def _point_cells(series: BiasSeries, point: Point, channels: Sequence[int]) -> tuple[str, ...]:
    return (
        series.name,
        str(point.count),
        str(point.draws),
        *(f"{value:.3f}" for value in asdict(point.amplification).values()),
        f"{series.law.amplification(point.count):.3f}" if series.law else "-",
        *(f"{point.channel_mean[channel].mean:+.3f}" for channel in channels),
    )


def _law_cells(series: BiasSeries, law: Law) -> tuple[str, ...]:
    return (
        series.name,
        str(series.pictures),
        f"{law.bias:.3f}",
        f"{law.spread:.3f}",
        f"{1 / law.bias:.2f}" if law.bias > 1e-6 else "-",
        "-" if law.r_squared is None else f"{law.r_squared:.3f}",
        f"{law.residual:.3f}",
    )
