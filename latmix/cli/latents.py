"""`latmix invert` and `stats`: fill the store, and look at the numbers before a picture is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from latmix.cli import run, weighting
from latmix.cli.options import (
    InversionOptions,
    Method,
    ModelOptions,
    PictureOptions,
    SayOptions,
    WeightFile,
    Weights,
    command,
)
from latmix.mixing.grid import DEFAULT_METHOD, parse_method
from latmix.names import display_name, plural

if TYPE_CHECKING:
    from latmix.jobs.inversion import Inversion
    from latmix.jobs.roundtrip import RoundTrip

Count = Annotated[
    int | None,
    typer.Option(
        "-n",
        "--count",
        min=1,
        help="The first N readable pictures.  [default: all]",
        show_default=False,
    ),
]


@command
def invert(
    pictures: PictureOptions,
    model: ModelOptions,
    options: InversionOptions,
    output: SayOptions,
    count: Count = None,
    report: Annotated[
        bool, typer.Option("--report", help="Also generate each again, and give its PSNR.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Keep latents that are stored already.")
    ] = True,
) -> int:
    """Fill the store with the pictures' noise latents; what is there already is kept."""
    paths = run.find_pictures(pictures)
    bench = run.make_workbench(model, output.quiet, options.preset)
    inversion = run.invert(
        bench,
        pictures,
        model,
        options,
        paths=paths,
        count=count,
        quiet=output.quiet,
        resume=resume,
    )
    trips: tuple[RoundTrip, ...] = ()
    if report:
        from latmix.jobs.roundtrip import round_trips

        trips = run.drive(round_trips(bench, inversion, batch=model.batch), output.quiet)
    if output.json:
        run.print_json(_inversion_json(inversion, trips))
    else:
        _print_inversion(inversion, trips)
    return run.exit_code(inversion)


@command
def stats(
    pictures: PictureOptions,
    model: ModelOptions,
    options: InversionOptions,
    output: SayOptions,
    weights: Weights = None,
    weight_file: WeightFile = None,
    count: Count = None,
    method: Method = DEFAULT_METHOD,
) -> int:
    """The numbers of a mixture and of its pictures, before a generation is spent on it."""
    method = parse_method(method).name
    paths = run.find_pictures(pictures)
    given = weighting.given_weights(paths, weights, weight_file)
    bench = run.make_workbench(model, output.quiet, options.preset)
    inversion = run.invert(
        bench,
        pictures,
        model,
        options,
        paths=list(given) if given else paths,
        count=None if given else count,
        quiet=output.quiet,
    )
    from latmix.jobs.generation import angles, mix_stored, stored_summary
    from latmix.report import channel_table, picture_table, statistics_table

    mixture = weighting.mixture_of_rows(inversion.rows, given).weights if given else None
    mixed = mix_stored(inversion, [mixture] if mixture else None, parse_method(method))
    statistics, summary = mixed.statistics[0], stored_summary(inversion)
    rows = [
        (str(row.path), weight, norm / summary.radius, angle, means)
        for row, weight, norm, angle, means in zip(
            inversion.rows,
            mixed.weights[0].tolist(),
            summary.squared_norm.sqrt().tolist(),
            angles(inversion, mixed.latents[0]),
            summary.channel_mean.tolist(),
            strict=True,
        )
    ]
    if output.json:
        names = ("path", "weight", "norm_ratio", "angle", "channel_mean")
        run.print_json(
            {
                "method": method,
                "model": bench.source.name,
                "stats": statistics.as_json(),
                "images": [
                    {"sha256": picture.sha256}
                    | dict(zip(names, (display_name(row[0]), *row[1:]), strict=True))
                    for picture, row in zip(inversion.rows, rows, strict=True)
                ],
                "cached": inversion.cached,
                "failures": run.failures_json(inversion.failures),
            }
        )
        return run.exit_code(inversion)
    screen = run.console()
    for table in (statistics_table(statistics, method), channel_table(statistics)):
        screen.print(table)
    screen.print(picture_table(rows))
    if statistics.warning:
        run.say(f"warning: {statistics.warning}")
    return run.exit_code(inversion)


def _inversion_json(inversion: Inversion, trips: tuple[RoundTrip, ...]) -> dict[str, Any]:
    from latmix.jobs.roundtrip import mean_psnr

    content: dict[str, Any] = {
        "images": [
            {"path": display_name(row.path), "sha256": row.sha256, "prompt": row.prompt}
            for row in inversion.rows
        ],
        "cached": inversion.cached,
        "inverted": inversion.inverted,
        "calls": inversion.calls,
        "residual": inversion.residual,
        "seconds": round(inversion.seconds, 3),
        "failures": run.failures_json(inversion.failures),
    }
    for image, trip in zip(content["images"], trips, strict=False):
        image["psnr"] = vars(trip)
    if trips:
        content["psnr"] = mean_psnr(trips)
    return content


def _print_inversion(inversion: Inversion, trips: tuple[RoundTrip, ...]) -> None:
    from rich.text import Text

    from latmix.report import plain_table

    screen = run.console()
    if trips:
        from latmix.jobs.roundtrip import mean_psnr

        table = plain_table("picture", "#VAE dB", "#round trip dB", "#against VAE dB", title="PSNR")
        for row, trip in zip(inversion.rows, trips, strict=True):
            name = Text(display_name(row.path.name))
            table.add_row(name, *(f"{value:.2f}" for value in vars(trip).values()))
        table.add_row("mean", *(f"{value:.2f}" for value in mean_psnr(trips).values()))
        screen.print(table)
    screen.print(
        f"{plural(len(inversion.rows), 'picture')}: {inversion.inverted} inverted, "
        f"{inversion.cached} cached; "
        f"{inversion.calls} network calls, {inversion.seconds:.1f} s"
    )
