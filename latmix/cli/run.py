"""From options to a run: the workbench, the settings, the pictures, and what is said of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from latmix.cli import driving
from latmix.cli.options import InversionOptions, ModelOptions, PictureOptions
from latmix.errors import LatmixError, UsageError
from latmix.jobs.progress import Progress
from latmix.names import display_name
from latmix.sampling.generators import drained
from latmix.sampling.presets import find_preset

if TYPE_CHECKING:
    from rich.console import Console

    from latmix.config import Config
    from latmix.jobs.inversion import Inversion
    from latmix.jobs.pictures import Failure
    from latmix.jobs.workbench import Workbench
    from latmix.models.source import ModelSource
    from latmix.sampling.settings import GenerationSettings, InversionSettings
    from latmix.sampling.solvers import Solver

Result = TypeVar("Result")

LEFT_OUT = 3

PICTURE_KEPT = 0.2
"""Scale of the picture at the noisiest level from which latents are far from noise: 50 steps of
Stable Diffusion leave 0.08."""

RESIDUAL_TOLD = 5e-3
"""Relative residual of a fixed-point step that shows in a picture."""


def console(to_stderr: bool = False) -> Console:
    """A rich console that reads no markup in what it is given."""
    from rich.console import Console

    return Console(stderr=to_stderr, markup=False, highlight=False, soft_wrap=True)


def say(text: str, quiet: bool = False) -> None:
    """A message for the person, on stderr."""
    if not quiet:
        console(to_stderr=True).print(text)


def print_json(content: object) -> None:
    """One line of JSON on stdout: ASCII, so that any name can be written to any stream."""
    sys.stdout.write(json.dumps(content, ensure_ascii=True, allow_nan=False) + "\n")
    sys.stdout.flush()


def find_pictures(options: PictureOptions) -> list[Path]:
    """The pictures that the options name, in natural order.

    Raises:
        LatmixError: there are none, or a path is not there.
    """
    from latmix import images

    if options.demo is None:
        if not options.paths:
            raise UsageError(
                "No pictures are named.",
                "Name a folder of pictures, or use built-in ones: --demo faces.",
            )
        return images.find_pictures(options.paths, recursive=options.recursive)
    if options.paths:
        raise UsageError("--demo and paths exclude each other.", "Leave one of them out.")
    from latmix import demo

    return images.find_pictures([demo.folder(options.demo)])


def find_source(name: str, config: Config, quiet: bool) -> ModelSource:
    """The model of --model; says in a line which one `auto` took, and what the built-in one knows.

    Raises:
        ModelError: as `models.source.find_model`.
    """
    from latmix.models.catalogue import is_built_in
    from latmix.models.source import find_model

    source = find_model(name, config.model)
    if is_built_in(source.name):
        missing = (
            f"{display_name(config.model)} is not on this machine; "
            if (name == "auto" and config.model and config.model != source.name)
            else ""
        )
        say(
            f"{missing}model: {source.name}, built in; it knows emoji only. "
            "`latmix models list` shows models that know photographs.",
            quiet,
        )
    elif name == "auto":
        say(f"model: {source.name}", quiet)
    return source


def make_workbench(options: ModelOptions, quiet: bool, preset: str | None = None) -> Workbench:
    """The workbench of the model options; a preset's dtype holds where none is given.

    Raises:
        LatmixError: the model, device or dtype cannot be used.
    """
    from latmix.config import load_config

    config = load_config()
    source = find_source(options.name, config, quiet)
    from latmix.jobs.imports import import_networks, import_numerics

    import_numerics()
    from latmix.jobs.workbench import Workbench
    from latmix.store.latents import LatentStore

    return Workbench(
        source,
        LatentStore(config.home),
        options.device,
        network_dtype(options, preset),
        options.offload,
        options.at_a_time,
        before_loading=import_networks,
    )


def network_dtype(options: ModelOptions, preset: str | None) -> str:
    """The dtype that the options mean: their own, else the preset's."""
    named = find_preset(preset)
    return named.dtype if options.dtype == "auto" and named else options.dtype


def inversion_settings(
    options: InversionOptions, source: ModelSource, guidance: float | None = None
) -> InversionSettings:
    """The settings that the options mean for a model.

    Args:
        guidance: of generating, which null-text is fitted to; None is the preset's or the model's.

    Raises:
        ValueError, UsageError: a value cannot be used.
    """
    from latmix.sampling.settings import InversionSettings, fitted_guidance
    from latmix.sampling.solvers import INNER_STEPS, check_solver

    preset, solver = find_preset(options.preset), chosen_solver(options)
    asked = _first(options.inversion_guidance, preset.guidance if preset else None, 1.0)
    generating = _first(guidance, preset.guidance if preset else None, source.guidance)
    settings = InversionSettings(
        size=parse_size(options.size) if options.size else source.size,
        fit=options.fit or "crop",
        steps=options.steps or (preset.steps if preset else 50),
        guidance=fitted_guidance(solver.name, asked, generating),
        solver=solver.name,
        negative=options.negative,
        inner_steps=options.inner_steps or INNER_STEPS,
    )
    source.latent_shape(settings.size)
    check_solver(settings.solver, source)
    return settings


def chosen_solver(options: InversionOptions) -> Solver:
    """The solver that the options mean.

    Raises:
        ValueError: there is none of that name. UsageError: no such preset.
    """
    from latmix.sampling.solvers import DEFAULT_SOLVER, find_solver

    preset = find_preset(options.preset)
    return find_solver(options.solver or (preset.solver if preset else DEFAULT_SOLVER))


def generation_settings(
    guidance: float | None,
    options: InversionOptions,
    source: ModelSource,
    draft: int = 0,
    prompt: str | None = None,
) -> GenerationSettings:
    """The settings that the options mean for generating.

    Args:
        prompt: what the results are told in place of the mixture of their pictures' prompts.

    Raises:
        ValueError: a value cannot be used.
    """
    from latmix.sampling.settings import GenerationSettings
    from latmix.sampling.solvers import check_solver

    preset = find_preset(options.preset)
    return GenerationSettings(
        guidance=_first(guidance, preset.guidance if preset else None, source.guidance),
        steps=options.steps or (preset.steps if preset else 50),
        negative=options.negative,
        solver=check_solver(chosen_solver(options).name, source).generates,
        draft=draft,
        prompt=prompt,
    )


def parse_size(text: str) -> tuple[int, int]:
    """Width and height of "512", "512x768".

    Raises:
        UsageError: it is neither.
    """
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isascii() and side.isdigit() for side in sides):
        raise UsageError(f"--size {display_name(text)} is not a size.", "Write 512 or 768x512.")
    return int(sides[0]), int(sides[-1])


def template(options: InversionOptions, demo: str | None) -> str:
    """The prompt template: --prompt, else what the built-in pictures show, else nothing."""
    if options.prompt is not None:
        return options.prompt
    if demo is None:
        return ""
    from latmix import demo as built_in

    return built_in.prompt(demo)


def invert(
    bench: Workbench,
    pictures: PictureOptions,
    model: ModelOptions,
    options: InversionOptions,
    *,
    paths: Iterable[Path],
    count: int | None = None,
    guidance: float | None = None,
    quiet: bool = False,
    resume: bool = True,
) -> Inversion:
    """Run the inversion job under a bar, and name what was left out.

    Args:
        guidance: of generating, as in `inversion_settings`.

    Raises:
        LatmixError: no picture could be read.
    """
    from latmix.jobs.inversion import InversionRules, invert_pictures
    from latmix.jobs.pictures import prompt_template

    _say_ignored(bench.source, options, quiet)
    job = invert_pictures(
        bench,
        paths,
        inversion_settings(options, bench.source, guidance),
        prompt_template(template(options, pictures.demo)),
        InversionRules(count, strict=pictures.strict, resume=resume),
    )
    inversion = drive(job, quiet)
    tell_inversion(bench, inversion, quiet)
    if count is not None and len(inversion.rows) < count:
        say(f"Asked for {count} pictures, found {len(inversion.rows)}: going on with those.", quiet)
    return inversion


def tell_inversion(bench: Workbench, inversion: Inversion, quiet: bool) -> None:
    """Name what was left out, and say what is doubtful.

    Raises:
        LatmixError: no picture could be read.
    """
    tell_failures(inversion.failures)
    if not inversion.rows:
        raise LatmixError("None of the pictures can be read.", "The lines above say why.")
    _say_doubts(bench, inversion, quiet)


def _say_ignored(source: ModelSource, options: InversionOptions, quiet: bool) -> None:
    """Say which options mean nothing to this model."""
    family = source.family
    if options.prompt and not family.is_prompted:
        say(f"note: {source.name} takes no prompt; yours changes nothing.", quiet)
    solver = chosen_solver(options)
    if options.negative and source.guiding != "classifier-free":
        say(f"note: {source.name} takes no negative prompt; yours changes nothing.", quiet)
    elif options.negative and solver.replaces_negative:
        say(f"note: solver {solver.name} takes the place of the negative prompt.", quiet)
    if options.inner_steps and not solver.is_fitted:
        say(f"note: solver {solver.name} has no inner steps; yours change nothing.", quiet)


def _say_doubts(bench: Workbench, inversion: Inversion, quiet: bool) -> None:
    """Say where the latents are not what the numbers take them for."""
    from latmix.sampling.levels import Levels

    steps, source = inversion.settings.steps, bench.source
    kept = Levels.of(source.schedule, steps, source.patches(inversion.space.shape)).a[0]
    if kept > PICTURE_KEPT:
        say(
            f"note: with {steps} steps this model's noisiest level still holds {kept:.0%} of the "
            "picture: its latents are not noise. 20 to 100 steps reach it.",
            quiet,
        )
    if inversion.residual > RESIDUAL_TOLD:
        say(
            f"note: a step of the inversion did not converge (residual {inversion.residual:.0e}); "
            "with more steps it does.",
            quiet,
        )


def tell_failures(failures: Iterable[Failure]) -> None:
    """Name every picture that was left out; said even when quiet."""
    from latmix.report import failure_lines

    for line in failure_lines(list(failures)):
        say(line)


def exit_code(inversion: Inversion) -> int:
    return LEFT_OUT if inversion.failures else 0


def drive(job: Generator[Progress, None, Result], quiet: bool) -> Result:
    """Run a job to its end under a bar on stderr; where that is no terminal, with lines of text."""
    return drained(job) if quiet else driving.watch(job, console(to_stderr=True))


def failures_json(failures: Iterable[Failure]) -> list[dict[str, Any]]:
    return [{"path": display_name(f.path), "reason": f.reason} for f in failures]


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)
