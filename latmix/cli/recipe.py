"""`latmix study recipe`: known noise against its inversion (L&K section 4.1, figures 3 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from latmix.cli import console
from latmix.cli.bias_tables import Draws, LawName, bias_findings
from latmix.cli.command import command
from latmix.cli.lists import Channels, PromptOfDemo, check_channels, numbers, whole_numbers
from latmix.cli.options import Guidance, Inverting, Method, ModelOptions, option
from latmix.cli.outputs import FIGURES, VECTORS, Outputs, Seed, StudyOptions, sheet_writers
from latmix.cli.run import Run
from latmix.errors import UsageError
from latmix.mixing.grid import parse_method
from latmix.names import display_name

if TYPE_CHECKING:
    from latmix.study.recipe import Comparison

TRUE_NOISE = "true noise"


@command
def recipe(
    model: ModelOptions,
    inverting: Inverting,
    output: StudyOptions,
    *,
    counts: Annotated[
        str, option("Values of N; the largest is sampled.", "-n", "--counts")
    ] = "1,4,16,36",
    perturb: Annotated[
        str, option("Standard deviations of noise on the pictures, whose range is 0 to 1.")
    ] = "0,0.02",
    method: Method = "fix/0",
    draws: Draws = 32,
    law: LawName = "paper",
    demo: PromptOfDemo = None,
    guidance: Guidance,
    seed: Seed = 0,
    channels: Channels = None,
    sheet: Annotated[
        Path | None, option("Also generate the centroids, onto a sheet: .png, .svg or .pdf.")
    ] = None,
) -> int:
    """Centroids of sampled noise against those of its inversion from slightly noisy pictures."""
    from latmix.mixing.live import LiveStatistics
    from latmix.study.bias import Drawing, measure_bias
    from latmix.study.recipe import (
        SampleSettings,
        centroid_pictures,
        compare_latents,
        invert_samples,
        make_samples,
    )
    from latmix.study.sheet import plain_sheet

    drawing = Drawing(parse_method(method).name, draws, seed, law)
    wanted = whole_numbers(counts, "-n")
    sigmas = _perturbations(perturb)
    shown = whole_numbers(channels, "--channels", least=0) if channels is not None else None
    files = Outputs.of(output.output)
    sheets = Outputs.of([sheet] if sheet else None, FIGURES, drawn=VECTORS)
    outputs = files + sheets
    run = Run.of(model, inverting | guidance, output.quiet, demo)
    bench, prompt = run.bench, run.choices.prompt
    check_channels(shown, bench.source.channels)
    settings = SampleSettings(prompt, run.inverting.size, run.generating, tuple(sigmas), seed)
    job = make_samples(bench, bench.store.root / "samples", settings, wanted[-1])
    samples = run.drive(job)
    sources = {TRUE_NOISE: samples.noise}
    for sigma in sigmas:
        work = invert_samples(bench, samples, sigma, prompt, run.inverting)
        inversion = run.drive(work)
        name = f"inverted {sigma:g}" if sigma else "inverted"
        sources[name] = inversion.space.read(inversion.keys)
    all_series = [
        run.drive(measure_bias(name, LiveStatistics.of(latents), wanted, drawing))
        for name, latents in sources.items()
    ]
    kept = [compare_latents(latents, samples.noise) for latents in sources.values()]
    found = bias_findings(all_series, shown, bench.source.name, drawing, prompt=prompt)
    pairs = zip(found.content["series"], kept, strict=True)
    content = found.content | {
        "series": [series | asdict(each) for series, each in pairs],
        "samples": display_name(samples.folder),
    }

    def show() -> None:
        found.show()
        _print_comparison(list(sources), kept)
        run.say(f"The samples are kept in {display_name(samples.folder)}.")

    findings = replace(found, content=content, show=show)
    files.write(findings)
    if sheet:
        making = centroid_pictures(
            bench, list(sources.values()), wanted, drawing.method, prompt, run.generating
        )
        pictures = run.drive(making)
        columns = [f"N = {count}" for count in wanted]
        drawn = sheet_writers(lambda: plain_sheet(columns, list(sources), pictures))
        sheets.write(replace(findings, drawn=drawn))
    return outputs.tell(output, findings)


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


def _print_comparison(sources: Sequence[str], kept: Sequence[Comparison]) -> None:
    rows = (
        (name, *(f"{number:.3f}" for number in asdict(each).values()))
        for name, each in zip(sources, kept, strict=True)
    )
    console.print_table(["", "#norm/√L", "#cosine to the noise", "#largest mean"], rows)
