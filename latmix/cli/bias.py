"""`latmix study bias`: how the bias of centroids grows with N (L&K figure 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latmix.cli import run
from latmix.cli.options import (
    InversionOptions,
    Method,
    ModelOptions,
    PictureOptions,
    SayOptions,
    command,
)
from latmix.cli.outputs import Outputs, Seed, figure_writer, whole_numbers
from latmix.errors import UsageError
from latmix.mixing.grid import parse_method
from latmix.names import display_name

if TYPE_CHECKING:
    from rich.table import Table

    from latmix.jobs.inversion import Inversion
    from latmix.study.bias import BiasSeries

SHOWN_CHANNELS = 3

SUFFIXES = (".png", ".svg", ".pdf", ".csv")

COLUMNS = ("series", "n", "draws", "quantity", "mean", "low", "high", "law")


@command
def bias(
    model: ModelOptions,
    options: InversionOptions,
    output: SayOptions,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of pictures, each a series.", show_default=False),
    ] = None,
    demo: Annotated[
        list[str] | None,
        typer.Option(
            help="Built-in pictures (faces, animals, food, hearts); may be repeated.",
            show_default=False,
        ),
    ] = None,
    counts: Annotated[
        str | None,
        typer.Option(
            "-n",
            "--counts",
            help="Values of N, as 1,4,16.  [default: squares up to the folder's pictures]",
            show_default=False,
        ),
    ] = None,
    method: Method = "fix/0",
    draws: Annotated[int, typer.Option(min=1, help="Random centroids at each N.")] = 32,
    seed: Seed = 0,
    channels: Annotated[
        str | None,
        typer.Option(
            help="Channels shown, as 0,3.  [default: the most biased]", show_default=False
        ),
    ] = None,
    law: Annotated[
        str,
        typer.Option(help="paper: latents of unit variance; spread: of the variance they have."),
    ] = "paper",
    pool: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Draw from the first so many readable pictures.  [default: all]",
            show_default=False,
        ),
    ] = None,
    recursive: Annotated[bool, typer.Option("--recursive", help="Look into subfolders.")] = False,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--output",
            help="A .png, .svg, .pdf or .csv to write; may be repeated.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Channel means and amplification of random centroids against N, with the law fitted."""
    method = parse_method(method).name
    wanted = whole_numbers(counts, "-n") if counts is not None else None
    shown = whole_numbers(channels, "--channels", least=0) if channels is not None else None
    _check_law(law)
    places = _places(folders or [], demo or [])
    found = {
        name: (place, run.find_pictures(replace(place, recursive=recursive)))
        for name, place in places.items()
    }
    for name, (_, paths) in found.items():
        _check_counts(name, wanted, min(len(paths), pool or len(paths)))
    outputs = Outputs.of(files, SUFFIXES, [path for _, paths in found.values() for path in paths])
    bench = run.make_workbench(model, output.quiet)
    _check_channels(shown, bench.source.channels)
    all_series: list[BiasSeries] = []
    inversions: list[Inversion] = []
    for name, (place, paths) in found.items():
        inversion = run.invert(
            bench, place, model, options, paths=paths, count=pool, quiet=output.quiet
        )
        inversions.append(inversion)
        all_series.append(
            _measured(name, inversion, wanted, method, draws, seed, law, output.quiet)
        )
    shown = shown or _most_biased(all_series)
    _write(outputs, all_series, shown)
    if output.json:
        run.print_json(
            {
                "model": bench.source.name,
                "method": method,
                "draws": draws,
                "seed": seed,
                "series": [_series_json(series) for series in all_series],
                "outputs": outputs.names(),
                "cached": sum(inversion.cached for inversion in inversions),
                "failures": run.failures_json(f for i in inversions for f in i.failures),
            }
        )
    else:
        _print(all_series, shown, outputs)
    return outputs.exit_code(max(run.exit_code(inversion) for inversion in inversions))


def _places(folders: Sequence[Path], demos: Sequence[str]) -> dict[str, PictureOptions]:
    """The series by name: the folder's, or its whole path where another has that name.

    Raises:
        UsageError: there are none.
    """
    if not folders and not demos:
        raise UsageError(
            "No folders are named.",
            "Name folders of pictures, or use built-in ones: --demo faces --demo hearts.",
        )
    places = [(folder.resolve().name, folder, PictureOptions([folder])) for folder in folders]
    places += [(name, Path(name), PictureOptions(demo=name)) for name in demos]
    taken = [name for name, _, _ in places]
    return {
        display_name(name if taken.count(name) == 1 and name else path): place
        for name, path, place in places
    }


def _check_counts(name: str, counts: Sequence[int] | None, pictures: int) -> None:
    if counts and max(counts) > pictures:
        raise UsageError(
            f"-n asks for centroids of {max(counts)} pictures, and {name} has {pictures}.",
            f"Leave the values above {pictures} out, or give it more pictures.",
        )


def _check_law(law: str) -> None:
    from latmix.study.bias import LAWS

    if law not in LAWS:
        raise UsageError(f"There is no law {display_name(law)}.", f"Use {' or '.join(LAWS)}.")


def _check_channels(channels: Sequence[int] | None, known: int) -> None:
    if channels and max(channels) >= known:
        raise UsageError(
            f"There is no channel {max(channels)}: the model's latents have {known}.",
            f"Name channels from 0 to {known - 1}.",
        )


def _measured(
    name: str,
    inversion: Inversion,
    counts: Sequence[int] | None,
    method: str,
    draws: int,
    seed: int,
    law: str,
    quiet: bool,
) -> BiasSeries:
    """The series of one folder, at those N for which enough pictures could be read."""
    from latmix.study.bias import default_counts, measure_bias

    pictures = len(inversion.rows)
    fit = [count for count in counts or default_counts(pictures) if count <= pictures]
    _check_counts(name, None if fit else counts, pictures)
    return run.drive(measure_bias(name, inversion, fit, method, draws, seed, law), quiet)


def _most_biased(all_series: Sequence[BiasSeries]) -> list[int]:
    """The channels whose mean is largest in any folder."""
    means = zip(*(series.input_channel_mean for series in all_series), strict=True)
    size = {channel: max(abs(mean) for mean in row) for channel, row in enumerate(means)}
    return sorted(sorted(size, key=lambda c: -size[c])[:SHOWN_CHANNELS])


def _write(outputs: Outputs, all_series: Sequence[BiasSeries], channels: Sequence[int]) -> None:
    from latmix.study.tables import write_csv

    def draw() -> Any:
        from latmix.study.drawings import draw_bias

        return draw_bias(all_series, channels)

    outputs.write(
        [
            ((".csv",), lambda path: write_csv(path, COLUMNS, _rows(all_series))),
            ((".png", ".svg", ".pdf"), figure_writer(draw)),
        ]
    )


def _rows(all_series: Sequence[BiasSeries]) -> Iterator[tuple[object, ...]]:
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


def _series_json(series: BiasSeries) -> dict[str, Any]:
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


def _print(all_series: Sequence[BiasSeries], channels: Sequence[int], outputs: Outputs) -> None:
    """The chart of the most biased channel, the numbers by N, and the fitted law."""
    screen = run.console()
    worst = max(channels, key=lambda c: max(abs(s.input_channel_mean[c]) for s in all_series))
    screen.print(_chart(all_series, worst, min(screen.width, 100)))
    screen.print(_point_table(all_series, channels))
    if any(series.law for series in all_series):
        screen.print("the law: alpha = 1/sqrt(b² + s²/N)")
        screen.print(_law_table(all_series))
    else:
        run.say("lin amplifies nothing: no law is fitted.")
    for name in outputs.names():
        screen.print(name)


def _chart(all_series: Sequence[BiasSeries], channel: int, width: int) -> str:
    from latmix.study.bias import curve_counts
    from latmix.study.chart import Plot, draw_chart

    plots = []
    for series in all_series:
        expected = [(n, series.expected_channel_mean(n)) for n in curve_counts(series)]
        points = [(point.count, point.channel_mean[channel].mean) for point in series.points]
        plots.append(
            Plot(series.name, points, [(n, means[channel]) for n, means in expected if means])
        )
    ticks = sorted({point.count for series in all_series for point in series.points})
    label = f"mean of channel {channel} (· the law)"
    return draw_chart(plots, x_label="N", y_label=label, x_ticks=ticks, width=width)


def _point_table(all_series: Sequence[BiasSeries], channels: Sequence[int]) -> Table:
    from rich.text import Text

    from latmix.report import plain_table

    means = (f"#mean {channel}" for channel in channels)
    table = plain_table("", "#N", "#draws", "#alpha", "#5%", "#95%", "#law", *means)
    for series in all_series:
        for point in series.points:
            spread = asdict(point.amplification).values()
            table.add_row(
                Text(series.name),
                str(point.count),
                str(point.draws),
                *(f"{value:.3f}" for value in spread),
                f"{series.law.amplification(point.count):.3f}" if series.law else "-",
                *(f"{point.channel_mean[channel].mean:+.3f}" for channel in channels),
            )
    return table


def _law_table(all_series: Sequence[BiasSeries]) -> Table:
    from rich.text import Text

    from latmix.report import plain_table

    table = plain_table("", "#pictures", "#b", "#s", "#limit 1/b", "#R²", "#residual")
    for series in all_series:
        if series.law:
            law, ratio = series.law, series.law.r_squared
            table.add_row(
                Text(series.name),
                str(series.pictures),
                f"{law.bias:.3f}",
                f"{law.spread:.3f}",
                f"{1 / law.bias:.2f}" if law.bias > 1e-6 else "-",
                "-" if ratio is None else f"{ratio:.3f}",
                f"{law.residual:.3f}",
            )
    return table
