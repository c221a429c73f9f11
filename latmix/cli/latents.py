"""`latmix invert` and `stats`: fill the store, and look at the numbers before a picture is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from latmix.cli import console, options
from latmix.cli.command import command
from latmix.cli.options import option
from latmix.cli.run import Run, find_pictures
from latmix.cli.weighting import given_weights, weights_of
from latmix.mixing.grid import DEFAULT_METHOD, parse_method
from latmix.names import display_name, plural

if TYPE_CHECKING:
    from latmix.jobs.inversion import Inversion
    from latmix.jobs.roundtrip import RoundTrip
    from latmix.measures.likeness import Measure
    from latmix.mixing.health import Health
    from latmix.mixing.influence import Inputs


@command
def invert(
    pictures: options.PictureOptions,
    model: options.ModelOptions,
    inverting: options.Inverting,
    output: options.SayOptions,
    count: options.Count = None,
    report: Annotated[
        bool,
        option("Also generate each again: PSNR and SSIM; and the latents' health.", "--report"),
    ] = False,
    lpips: Annotated[
        Path | None,
        option("Report LPIPS as well, by the file of AlexNet's weights (extra latmix[eval])."),
    ] = None,
    resume: Annotated[
        bool, option("Keep latents that are stored already.", "--resume/--no-resume")
    ] = True,
) -> int:
    """Fill the store with the pictures' noise latents; what is there already is kept."""
    paths = find_pictures(pictures)
    run = Run.of(model, inverting, output.quiet, pictures.demo)
    measure = _lpips(run.inverting.size, lpips) if lpips else None
    inversion = run.invert(paths, count, strict=pictures.strict, resume=resume)
    found = _report(run, inversion, measure) if report or lpips else None
    if output.json:
        console.print_json(_inversion_json(inversion, found))
    else:
        _print_inversion(inversion, found)
    return console.exit_code(inversion.failures)


@command
def stats(
    pictures: options.PictureOptions,
    model: options.ModelOptions,
    inverting: options.Inverting,
    output: options.SayOptions,
    weights: options.WeightOptions,
    count: options.Count = None,
    method: options.Method = DEFAULT_METHOD,
) -> int:
    """The numbers of a mixture and of its pictures, before a generation is spent on it."""
    given = inverting | {"method": parse_method(method).name}
    paths = find_pictures(pictures)
    weighed = given_weights(paths, weights)
    run = Run.of(model, given, output.quiet, pictures.demo)
    count = None if weighed else count
    inversion = run.invert(list(weighed) or paths, count, strict=pictures.strict)
    mixture = weights_of(inversion.rows, weighed) if weighed else None
    _report_statistics(run, inversion, mixture, output.json)
    return console.exit_code(inversion.failures)


def _report_statistics(
    run: Run, inversion: Inversion, mixture: tuple[float, ...] | None, as_json: bool
) -> None:
    from latmix.jobs.measurement import measure_inputs
    from latmix.jobs.stored_mixtures import mix_stored
    from latmix.mixing.health import expected_health

    method = run.choices.method
    mixed = mix_stored(inversion, [mixture] if mixture else None, parse_method(method))
    weights, statistics = mixed.weights[0].tolist(), mixed.statistics[0]
    inputs, latents = run.drive(measure_inputs(inversion, weights, parse_method(method)))
    names = [str(row.path) for row in inversion.rows]
    if as_json:
        driver = inputs.strongest
        console.print_json(
            {
                "method": method,
                "model": run.bench.source.name,
                "stats": statistics.as_json(),
                "driver": None if driver is None else display_name(names[driver]),
                "nearest": display_name(names[inputs.nearest]),
                "images": _images_json(inversion, weights, inputs, latents),
                "cached": inversion.cached,
                "failures": console.failures_json(inversion.failures),
            }
        )
        return
    from latmix import report

    screen = console.screen()
    screen.print(report.statistics_table(statistics, method))
    screen.print(report.channel_table(statistics))
    screen.print()
    pictures = report.picture_table(names, weights, inputs)
    pictures.title = "Pictures, with the amplification, mean and norm of the mixture without each"
    screen.print(pictures)
    screen.print(report.picture_sentence(names, inputs))
    screen.print()
    screen.print(report.health_table(names, latents, expected_health(inversion.space.shape)))
    if statistics.warning:
        console.say(f"warning: {statistics.warning}")


def _images_json(
    inversion: Inversion, weights: list[float], inputs: Inputs, latents: tuple[Health, ...]
) -> list[dict[str, Any]]:
    """One object a picture; what leaving it out would make of the mixture is under `without`."""
    return [
        {
            "sha256": row.sha256,
            "path": display_name(row.path),
            "weight": weights[n],
            "angle": inputs.angle[n],
            "influence": inputs.influence[n],
            "without": {
                "amplification": inputs.amplification[n],
                "largest_mean": inputs.largest_mean[n],
                "norm_ratio": inputs.norm_ratio[n],
            },
            **latents[n].as_json(),
        }
        for n, row in enumerate(inversion.rows)
    ]


@dataclass(frozen=True)
class Report:
    """What inversion did to each picture, in the order of its rows."""

    trips: tuple[RoundTrip, ...]
    latents: tuple[Health, ...]


def _lpips(size: tuple[int, int], file: Path) -> Measure:
    from latmix.measures.lpips import load_lpips

    return load_lpips(size, file)


def _report(run: Run, inversion: Inversion, lpips: Measure | None) -> Report:
    from latmix.jobs.measurement import measure_health
    from latmix.jobs.roundtrip import round_trips

    trips = run.drive(round_trips(run.bench, inversion, lpips=lpips))
    return Report(trips, run.drive(measure_health(inversion)))


def _inversion_json(inversion: Inversion, found: Report | None) -> dict[str, Any]:
    """Under `psnr`, `ssim` (`lpips`) and `health`, of each picture and of all the means."""
    from latmix.jobs.roundtrip import mean_trip, trip_json

    images: list[dict[str, Any]] = [
        {"path": display_name(row.path), "sha256": row.sha256, "prompt": row.prompt}
        for row in inversion.rows
    ]
    content: dict[str, Any] = {
        "images": images,
        "cached": inversion.cached,
        "inverted": inversion.inverted,
        "calls": inversion.calls,
        "residual": inversion.residual,
        "seconds": round(inversion.seconds, 3),
        "failures": console.failures_json(inversion.failures),
    }
    if found is None:
        return content
    for image, trip, latent in zip(images, found.trips, found.latents, strict=True):
        image |= trip_json(trip) | {"health": latent.as_json()}
    mean = type(found.latents[0]).mean(found.latents)
    return content | trip_json(mean_trip(found.trips)) | {"health": mean.as_json()}


def _print_inversion(inversion: Inversion, found: Report | None) -> None:
    screen = console.screen()
    if found is not None:
        from latmix import report
        from latmix.mixing.health import expected_health

        names = [str(row.path) for row in inversion.rows]
        screen.print(report.round_trip_table(names, found.trips))
        screen.print()
        expected = expected_health(inversion.space.shape)
        screen.print(report.health_table(names, found.latents, expected))
        screen.print()
    screen.print(
        f"{plural(len(inversion.rows), 'picture')}: {inversion.inverted} inverted, "
        f"{inversion.cached} cached; "
        f"{inversion.calls} network calls, {inversion.seconds:.1f} s"
    )
