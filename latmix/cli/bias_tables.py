"""What `study bias` and `study recipe` share: the draws, and JSON, CSV, chart and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from latmix.cli import console
from latmix.cli.options import option
from latmix.cli.outputs import Findings, figure_writer

if TYPE_CHECKING:
    from latmix.study.bias import BiasSeries, Drawing, Law, Point

COLUMNS = ("series", "n", "draws", "quantity", "mean", "low", "high", "law")

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
    channels: Sequence[int],
    content: Mapping[str, Any],
    show: Callable[[], None],
) -> Findings:
    """Series as all that they are written as."""
    from latmix.study.bias_figure import draw_bias

    drawn = [figure_writer(lambda: draw_bias(all_series, channels))]
    return Findings(content, COLUMNS, list(csv_rows(all_series)), drawn, show)


def csv_rows(all_series: Sequence[BiasSeries]) -> Iterator[tuple[object, ...]]:
    for series in all_series:
        for point in series.points:
            law = series.law.amplification(point.count) if series.law else None
            means = series.expected_channel_mean(point.count)
            start = (series.name, point.count, point.draws)
            yield (*start, "amplification", *asdict(point.amplification).values(), law)
            yield (*start, "norm_ratio", *asdict(point.norm_ratio).values(), None)
            for channel, mean in enumerate(point.channel_mean):
                expected = means[channel] if means else None
                yield (*start, f"channel_mean_{channel}", *asdict(mean).values(), expected)


def bias_json(model: str, drawing: Drawing) -> dict[str, Any]:
    """What was drawn, and how."""
    return {
        "model": model,
        "method": drawing.method,
        "draws": drawing.draws,
        "seed": drawing.seed,
        "interval": INTERVAL,
    }


def series_json(series: BiasSeries) -> dict[str, Any]:
    points = [
        {
            "n": point.count,
            "draws": point.draws,
            "amplification": asdict(point.amplification),
            "law": series.law.amplification(point.count) if series.law else None,
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
    from latmix.study.bias import curve_counts
    from latmix.study.chart import Plot

    plots = []
    for series in all_series:
        expected = [(n, series.expected_channel_mean(n)) for n in curve_counts(series)]
        points = [(point.count, point.channel_mean[channel].mean) for point in series.points]
        plots.append(
            Plot(series.name, points, [(n, means[channel]) for n, means in expected if means])
        )
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
