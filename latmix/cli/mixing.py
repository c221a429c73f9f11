"""`latmix centroid` and `mix`: pictures in, mixed pictures out, with the numbers."""

from __future__ import annotations

from typing import Annotated

import typer

from latmix.cli import console, options
from latmix.cli.command import Given, command
from latmix.cli.making import Weighting, check_output, make
from latmix.cli.options import option
from latmix.cli.run import Run, find_pictures
from latmix.cli.weighting import given_weights, weights_of
from latmix.errors import UsageError
from latmix.mixing.grid import DEFAULT_METHOD, parse_method
from latmix.mixing.mixture import Mixture
from latmix.session.choices import USUAL_COUNT

PromptMix = Annotated[
    bool,
    option(
        "Tell the result its pictures' own prompts, mixed with the same weights.", "--prompt-mix"
    ),
]


@command
def centroid(
    pictures: options.PictureOptions,
    model: options.ModelOptions,
    inverting: options.Inverting,
    output: options.OutputOptions,
    *,
    count: options.SomePictures = USUAL_COUNT,
    method: options.Method = DEFAULT_METHOD,
    generating: options.Generating,
    prompt_mix: PromptMix = False,
    seed: Annotated[int | None, typer.Option(help="Noted in the recipe.", hidden=True)] = None,
) -> int:
    """Invert pictures (once), mix them with equal weights, and generate their centroid."""
    given = _given(inverting | generating, method, prompt_mix)
    paths = find_pictures(pictures)
    check_output(output.output, paths)
    run = Run.of(model, given, output.quiet, pictures.demo)
    inversion = run.invert(paths, count, strict=pictures.strict)
    equal = [1.0 / len(inversion.rows)] * len(inversion.rows)
    make(run, inversion, [Weighting(equal, seed)], output)
    return console.exit_code(inversion.failures)


@command
def mix(
    pictures: options.PictureOptions,
    model: options.ModelOptions,
    inverting: options.Inverting,
    output: options.OutputOptions,
    weights: options.WeightOptions,
    *,
    random: Annotated[int | None, option("This many random mixtures.", least=1)] = None,
    seed: Annotated[int, option("Of the random weights.")] = 0,
    count: options.Count = None,
    method: options.Method = DEFAULT_METHOD,
    generating: options.Generating,
    prompt_mix: PromptMix = False,
) -> int:
    """Mix pictures with weights: given by name, read from a CSV, or drawn at random."""
    given = _given(inverting | generating, method, prompt_mix)
    paths = find_pictures(pictures)
    check_output(output.output, paths)
    weighed = given_weights(paths, weights)
    if weighed and random:
        raise UsageError("--random draws the weights itself.", "Leave -w and --weights out.")
    if weighed and count:
        raise UsageError("-n and weights by name exclude each other.", "Leave one of them out.")
    run = Run.of(model, given, output.quiet, pictures.demo)
    inversion = run.invert(list(weighed) or paths, count, strict=pictures.strict)
    keys = [str(index) for index in range(len(inversion.rows))]
    if weighed:
        mixtures = [Weighting(weights_of(inversion.rows, weighed))]
    elif random:
        seeds = range(seed, seed + random)
        mixtures = [Weighting(Mixture.random(keys, each).weights, each) for each in seeds]
    else:
        mixtures = [Weighting(Mixture.equal(keys).weights)]
    make(run, inversion, mixtures, output)
    return console.exit_code(inversion.failures)


def _given(given: Given, method: str, prompt_mix: bool) -> Given:
    """Raises: ValueError: an unknown method. UsageError: two ways to tell a result something."""
    if "result_prompt" in given and prompt_mix:
        raise UsageError(
            "--result-prompt takes the place of the mixture of prompts.", "Leave --prompt-mix out."
        )
    return given | {"method": parse_method(method).name}
