"""`latmix centroid` and `mix`: pictures in, mixed pictures out, with the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from latmix.cli import run, weighting
from latmix.cli.making import check_output, make
from latmix.cli.options import (
    Draft,
    GuidanceScale,
    InversionOptions,
    Method,
    ModelOptions,
    OutputOptions,
    PictureOptions,
    WeightFile,
    Weights,
    command,
)
from latmix.errors import UsageError
from latmix.mixing.grid import DEFAULT_METHOD, parse_method
from latmix.mixing.mixture import Mixture

if TYPE_CHECKING:
    pass

DEFAULT_COUNT = 8

ResultPrompt = Annotated[
    str | None,
    typer.Option(help="What the result is told.  [default: --prompt-mix]", show_default=False),
]
PromptMix = Annotated[
    bool,
    typer.Option(
        "--prompt-mix",
        help="Tell the result its pictures' own prompts, mixed with the same weights.",
    ),
]


@command
def centroid(
    pictures: PictureOptions,
    model: ModelOptions,
    options: InversionOptions,
    output: OutputOptions,
    count: Annotated[
        int, typer.Option("-n", "--count", min=1, help="The first N readable pictures.")
    ] = DEFAULT_COUNT,
    method: Method = DEFAULT_METHOD,
    guidance: GuidanceScale = None,
    draft: Draft = 0,
    result_prompt: ResultPrompt = None,
    prompt_mix: PromptMix = False,
    seed: Annotated[int | None, typer.Option(help="Noted in the recipe.", hidden=True)] = None,
) -> int:
    """Invert pictures (once), mix them with equal weights, and generate their centroid."""
    method = parse_method(method).name
    _check_prompts(result_prompt, prompt_mix)
    paths = run.find_pictures(pictures)
    check_output(output.output, paths)
    bench = run.make_workbench(model, output.quiet, options.preset)
    inversion = run.invert(
        bench,
        pictures,
        model,
        options,
        paths=paths,
        count=count,
        guidance=guidance,
        quiet=output.quiet,
    )
    generation = run.generation_settings(guidance, options, bench.source, draft, result_prompt)
    prompt = run.template(options, pictures.demo)
    equal = [1.0 / len(inversion.rows)] * len(inversion.rows)
    make(bench, inversion, [equal], method, generation, prompt, output, bench.batch, [seed])
    return run.exit_code(inversion)


@command
def mix(
    pictures: PictureOptions,
    model: ModelOptions,
    options: InversionOptions,
    output: OutputOptions,
    weights: Weights = None,
    weight_file: WeightFile = None,
    random: Annotated[
        int | None, typer.Option(min=1, help="This many random mixtures.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random weights.")] = 0,
    count: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--count",
            min=1,
            help="The first N readable pictures.  [default: all]",
            show_default=False,
        ),
    ] = None,
    method: Method = DEFAULT_METHOD,
    guidance: GuidanceScale = None,
    draft: Draft = 0,
    result_prompt: ResultPrompt = None,
    prompt_mix: PromptMix = False,
) -> int:
    """Mix pictures with weights: given by name, read from a CSV, or drawn at random."""
    method = parse_method(method).name
    _check_prompts(result_prompt, prompt_mix)
    paths = run.find_pictures(pictures)
    check_output(output.output, paths)
    given = weighting.given_weights(paths, weights, weight_file)
    if given and random:
        raise UsageError("--random draws the weights itself.", "Leave -w and --weights out.")
    if given and count:
        raise UsageError("-n and weights by name exclude each other.", "Leave one of them out.")
    bench = run.make_workbench(model, output.quiet, options.preset)
    inversion = run.invert(
        bench,
        pictures,
        model,
        options,
        paths=list(given) if given else paths,
        count=None if given else count,
        guidance=guidance,
        quiet=output.quiet,
    )
    if given:
        mixtures = [weighting.mixture_of_rows(inversion.rows, given)]
        seeds: list[int | None] = [None]
    else:
        keys = [str(index) for index in range(len(inversion.rows))]
        seeds = [seed + index for index in range(random)] if random else [None]
        mixtures = [Mixture.equal(keys) if s is None else Mixture.random(keys, s) for s in seeds]
    generation = run.generation_settings(guidance, options, bench.source, draft, result_prompt)
    prompt = run.template(options, pictures.demo)
    rows = [list(mixture.weights) for mixture in mixtures]
    make(bench, inversion, rows, method, generation, prompt, output, bench.batch, seeds)
    return run.exit_code(inversion)


def _check_prompts(result_prompt: str | None, prompt_mix: bool) -> None:
    if result_prompt is not None and prompt_mix:
        raise UsageError(
            "--result-prompt takes the place of the mixture of prompts.", "Leave --prompt-mix out."
        )
