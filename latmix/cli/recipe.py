"""`latmix study recipe`: known noise against its inversion (L&K section 4.1, figures 3 and 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latmix.cli import run
from latmix.cli.bias_tables import bias_writers, most_biased, print_bias, series_json
from latmix.cli.options import (
    GuidanceScale,
    InversionOptions,
    Method,
    ModelOptions,
    SayOptions,
    command,
)
from latmix.cli.outputs import (
    FIGURES,
    Draws,
    Files,
    LawName,
    Outputs,
    Shown,
    check_channels,
    numbers,
    sheet_writers,
    whole_numbers,
)
from latmix.errors import UsageError
from latmix.mixing.grid import parse_method
from latmix.names import display_name

if TYPE_CHECKING:
    from torch import Tensor

    from latmix.jobs.workbench import Workbench
    from latmix.study.bias import Drawing
    from latmix.study.recipe import Comparison, Samples, SampleSettings

SUFFIXES = (*FIGURES, ".csv")

TRUE_NOISE = "true noise"


@command
def recipe(
    model: ModelOptions,
    options: InversionOptions,
    output: SayOptions,
    counts: Annotated[
        str, typer.Option("-n", "--counts", help="Values of N; the largest is sampled.")
    ] = "1,4,16,36",
    perturb: Annotated[
        str,
        typer.Option(help="Standard deviations of noise on the pictures, whose range is 0 to 1."),
    ] = "0,0.02",
    method: Method = "fix/0",
    draws: Draws = 32,
    law: LawName = "paper",
    demo: Annotated[
        str | None, typer.Option(help="Take the prompt of these built-in pictures.")
    ] = None,
    guidance: GuidanceScale = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the noise and the draws.")] = 0,
    channels: Shown = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            help="Also generate the centroids, onto a sheet: .png, .svg or .pdf.",
            show_default=False,
        ),
    ] = None,
    files: Files = None,
) -> int:
    """Centroids of sampled noise against those of its inversion from slightly noisy pictures."""
    from latmix.study.bias import Drawing, measure_bias
    from latmix.study.recipe import (
        SampleSettings,
        compare_latents,
        invert_samples,
        live_latents,
        make_samples,
    )

    drawing = Drawing(parse_method(method).name, draws, seed, law)
    wanted = whole_numbers(counts, "-n")
    sigmas = _perturbations(perturb)
    shown = whole_numbers(channels, "--channels", least=0) if channels is not None else None
    outputs = Outputs.of(files, SUFFIXES)
    sheets = Outputs.of([sheet] if sheet else [], FIGURES, drawn=(".svg", ".pdf"))
    bench = run.make_workbench(model, output.quiet)
    check_channels(shown, bench.source.channels)
    settings = SampleSettings(
        run.template(options, demo),
        run.inversion_settings(options, bench.source).size,
        run.generation_settings(guidance, options, bench.source),
        tuple(sigmas),
        seed,
    )
    home = bench.store.root / "samples"
    job = make_samples(bench, home, settings, wanted[-1], model.batch)
    samples = run.drive(job, output.quiet)
    sources = {TRUE_NOISE: samples.noise}
    inverting = run.inversion_settings(options, bench.source)
    for sigma in sigmas:
        work = invert_samples(bench, samples, sigma, settings.prompt, inverting, model.batch)
        inversion = run.drive(work, output.quiet)
        name = f"inverted {sigma:g}" if sigma else "inverted"
        sources[name] = inversion.space.read(inversion.keys)
    measured = {
        name: run.drive(measure_bias(name, live_latents(latents), wanted, drawing), output.quiet)
        for name, latents in sources.items()
    }
    all_series = list(measured.values())
    shown = shown or most_biased(all_series)
    outputs.write(bias_writers(all_series, shown))
    if sheet:
        _write_sheet(bench, sources, wanted, drawing, settings, model.batch, sheets, output.quiet)
    kept = [compare_latents(latents, samples.noise) for latents in sources.values()]
    if output.json:
        run.print_json(
            {
                "model": bench.source.name,
                "prompt": settings.prompt,
                "method": drawing.method,
                "draws": draws,
                "seed": seed,
                "series": [
                    series_json(series) | asdict(each)
                    for series, each in zip(all_series, kept, strict=True)
                ],
                "samples": display_name(samples.folder),
                "outputs": outputs.names() + sheets.names(),
            }
        )
    else:
        print_bias(all_series, shown, outputs)
        _print_comparison(sources, kept, samples, sheets)
    return sheets.exit_code(outputs.exit_code(0))


def _perturbations(text: str) -> list[float]:
    """The standard deviations, ascending, each once.

    Raises:
        UsageError: one is no number from 0 to 1.
    """
    sigmas = sorted(set(numbers(text, "--perturb")))
    if sigmas[0] < 0 or sigmas[-1] > 1:
        raise UsageError(
            f"--perturb {display_name(text)} leaves the range of a pixel, 0 to 1.",
            "A little noise is 0.01 to 0.05.",
        )
    return sigmas


def _write_sheet(
    bench: Workbench,
    sources: Mapping[str, Tensor],
    counts: Sequence[int],
    drawing: Drawing,
    settings: SampleSettings,
    batch: int,
    sheets: Outputs,
    quiet: bool,
) -> None:
    """Generate the centroids of the first N of each source, a row a source."""
    from latmix.study.recipe import centroid_pictures
    from latmix.study.sheets import Sheet

    job = centroid_pictures(
        bench,
        list(sources.values()),
        counts,
        drawing.method,
        settings.prompt,
        settings.generation,
        batch,
    )
    pictures = run.drive(job, quiet)
    labels = [f"N = {count}" for count in counts]
    sheets.write(sheet_writers(Sheet(labels, list(sources), pictures), (), ()))


def _print_comparison(
    sources: Mapping[str, Tensor],
    kept: Sequence[Comparison],
    samples: Samples,
    sheets: Outputs,
) -> None:
    from latmix.report import plain_table

    screen = run.console()
    table = plain_table("", "#norm/√L", "#cosine to the noise", "#largest mean")
    for name, each in zip(sources, kept, strict=True):
        numbers = (each.norm_ratio, each.cosine, each.largest_channel_mean)
        table.add_row(name, *(f"{number:.3f}" for number in numbers))
    screen.print(table)
    for name in sheets.names():
        screen.print(name)
    run.say(f"The samples are kept in {display_name(samples.folder)}.")
