"""Pictures in, latents out, and back: one batch as a generator, and the public calls that drain it.

The public `latmix.invert` and `latmix.generate` are here; the jobs use `invert_batch` and
`generate_batch`, which yield after every step and so can be watched and stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Literal, TypedDict, TypeVar, Unpack, overload

import torch
from PIL import Image
from torch import Tensor

from latmix.images import fit_picture, read_picture
from latmix.mixing.companions import SECOND, UNCONDITIONAL, Latents
from latmix.models.protocol import Conditioning, Model
from latmix.sampling import trajectory
from latmix.sampling.arguments import checked_prompts, latent_rows
from latmix.sampling.batches import BatchLimit, in_batches
from latmix.sampling.belm import generate_pair, invert_pair
from latmix.sampling.generators import drained
from latmix.sampling.levels import Levels
from latmix.sampling.multistep import draft_scheduler, generate_draft
from latmix.sampling.null_text import invert_null_text
from latmix.sampling.settings import (
    TOLERANCES,
    GenerationSettings,
    InversionSettings,
    fitted_guidance,
)
from latmix.sampling.solvers import DEFAULT_SOLVER, INNER_STEPS, check_solver
from latmix.sampling.trajectory import Call, Guidance, Step

Readable = Image.Image | str | os.PathLike[str]
Accompanied = Literal["null-text", "belm"]
"""Solvers whose latents have companions."""

Seen = TypeVar("Seen")
Result = TypeVar("Result")

BATCH = 8
"""Pictures at a time where the caller does not say."""


class Inverting(TypedDict, total=False):
    """The options of `invert` that say nothing of what it returns."""

    negative: str
    steps: int
    guidance: float
    size: tuple[int, int] | None
    fit: str
    inner_steps: int
    batch: int


@overload
def invert(  # type: ignore[overload-overlap]
    model: Model,
    images: Readable | Sequence[Readable],
    prompt: str | Sequence[str] = "",
    *,
    solver: Accompanied,
    **options: Unpack[Inverting],
) -> Latents: ...
@overload
def invert(
    model: Model,
    images: Readable | Sequence[Readable],
    prompt: str | Sequence[str] = "",
    *,
    solver: str = DEFAULT_SOLVER,
    **options: Unpack[Inverting],
) -> Tensor: ...
def invert(
    model: Model,
    images: Readable | Sequence[Readable],
    prompt: str | Sequence[str] = "",
    *,
    negative: str = "",
    steps: int = 50,
    guidance: float = 1.0,
    solver: str = DEFAULT_SOLVER,
    size: tuple[int, int] | None = None,
    fit: str = "crop",
    inner_steps: int = INNER_STEPS,
    batch: int = BATCH,
) -> Tensor | Latents:
    """The noise latents that the model would make these pictures from.

    Args:
        images: PIL pictures or paths, one or many.
        prompt: what the pictures show, for all or one each.
        negative: the unconditional branch's prompt, used where guidance is not 1.
        steps: of the trajectory; generate with the same number for an exact round trip.
        guidance: classifier-free guidance; 1, the default, keeps latents close to noise. For
            "null-text" it is the one to generate with, and 1 is what suits the model.
        solver: a name of `latmix.sampling.solvers.SOLVERS`; not every one is for every model.
        size: (width, height) in pixels; None is the model's own.
        fit: how pictures are brought to it: "crop", "pad" or "stretch".
        inner_steps: of "null-text"'s optimiser, at most, for each step.
        batch: pictures at a time, fewer where memory runs out; changes nothing beyond rounding.

    Returns:
        (N, C, H, W) float32 on the model's device; for "null-text" and "belm" `Latents` that hold
        them with their companions, which `mix` mixes too and `generate` uses.

    Raises:
        ValueError: a bad argument. PictureError: a file that cannot be read.
    """
    many = [images] if isinstance(images, (Image.Image, str, os.PathLike)) else list(images)
    settings = InversionSettings(
        size or model.source.size,
        fit,
        steps,
        fitted_guidance(solver, guidance, model.source.guidance),
        solver,
        negative,
        inner_steps,
    )
    model.source.latent_shape(settings.size)
    check_solver(settings.solver, model.source)
    prompts = checked_prompts(model, prompt, len(many))

    def invert_some(part: range) -> Generator[Step | Call, None, Latents]:
        pictures = [prepare(many[at], settings) for at in part]
        told = prompts[part.start : part.stop]
        return (yield from invert_batch(model, pictures, told, settings))

    found = Latents.joined(_in_batches(len(many), batch, invert_some))
    return found if found.companions else found.noise


def generate(
    model: Model,
    latents: Tensor | Latents,
    prompt: str | Sequence[str] = "",
    *,
    negative: str = "",
    steps: int = 50,
    guidance: float | None = None,
    solver: str = DEFAULT_SOLVER,
    draft: int = 0,
    source_prompt: str | Sequence[str] | None = None,
    batch: int = BATCH,
) -> list[Image.Image]:
    """The pictures that the model makes from noise latents.

    Args:
        latents: (B, C, H, W) or one (C, H, W), or such with companions.
        prompt: for all or one each.
        guidance: classifier-free guidance; None is what suits the model.
        solver: the one that inverted them.
        draft: make do with this many steps of DPM-Solver++(2M); 8 to 12 show what it will be.
        source_prompt: what they were inverted with, which guidance of "negative-prompt" is away
            from; None is `prompt`.

    Returns:
        RGB pictures, one a latent.

    Raises:
        ValueError: a bad argument.
    """
    rows = latent_rows(model, latents)
    scale = model.source.guidance if guidance is None else guidance
    generates = check_solver(solver, model.source).generates
    settings = GenerationSettings(scale, steps, negative, generates, draft)
    prompts = checked_prompts(model, prompt, len(rows))
    sources = prompts if source_prompt is None else checked_prompts(model, source_prompt, len(rows))

    def make(part: range) -> Generator[Step, None, list[Image.Image]]:
        some = slice(part.start, part.stop)
        told, origin = model.condition(prompts[some]), None
        if sources[some] != prompts[some]:
            origin = model.condition(sources[some])
        walk = generate_batch(model, rows.rows(some), told, settings, origin)
        return model.decode((yield from walk))

    return [picture for made in _in_batches(len(rows), batch, make) for picture in made]


def prepare(image: Readable, settings: InversionSettings) -> Image.Image:
    """A picture as it is encoded: read if it is a path, RGB, brought to the settings' size."""
    picture = image if isinstance(image, Image.Image) else read_picture(image)
    return fit_picture(picture.convert("RGB"), settings.size, settings.fit)


def invert_batch(
    model: Model,
    pictures: Sequence[Image.Image],
    prompts: Sequence[str],
    settings: InversionSettings,
) -> Generator[Step | Call, None, Latents]:
    """Invert prepared pictures (`prepare`) together; returns float32 noise latents, companions and
    all."""
    told = model.condition(prompts)
    clean = model.encode(pictures)
    levels = Levels.of(model.schedule, settings.steps, model.source.patches(clean.shape))
    tolerance = TOLERANCES[str(model.dtype).removeprefix("torch.")]
    if check_solver(settings.solver, model.source).is_fitted:
        negative = model.condition_negative([settings.negative] * told.count)
        guidance = Guidance(told, negative, settings.guidance)
        inner = settings.inner_steps
        return (yield from invert_null_text(model, clean, levels, guidance, tolerance, inner))
    guidance = _guidance(model, told, settings.negative, settings.guidance).without_idle()
    if settings.solver == "belm":
        return (yield from invert_pair(model, clean, levels, guidance, tolerance))
    walk = trajectory.invert(model, clean, levels, guidance, settings.solver, tolerance)
    return Latents((yield from walk), steps=settings.steps)


def generate_batch(
    model: Model,
    latents: Tensor | Latents,
    told: Conditioning,
    settings: GenerationSettings,
    origin: Conditioning | None = None,
) -> Generator[Step, None, Tensor]:
    """Generate from noise latents (B, C, H, W) together; returns clean latents, not yet decoded.

    Args:
        latents: those without companions are generated as plain noise.
        origin: what they were inverted with, for `negative-prompt`; None is `told`.

    Raises:
        ValueError: the solver is not for this model.
    """
    if isinstance(latents, Tensor):
        latents = Latents(latents)
    if check_solver(settings.solver, model.source).replaces_negative:
        # Away from what it is told itself, guidance has no effect at any scale.
        guidance = Guidance(told, origin, settings.guidance)
    else:
        guidance = _guidance(model, told, settings.negative, settings.guidance)
    patches = model.source.patches(latents.noise.shape)
    levels = Levels.of(model.schedule, settings.steps, patches)
    scheduler = None
    if settings.draft:
        scheduler = draft_scheduler(model.schedule, settings.steps, settings.draft)
    if UNCONDITIONAL in latents.companions:
        if settings.solver != "ddim":
            raise ValueError(
                f"latents have null-text embeddings: generate them with solver null-text, "
                f"not {settings.solver}."
            )
        found_at = Levels.of(model.schedule, latents.steps, patches)
        times = scheduler.timesteps.tolist() if scheduler else levels.times
        text = latents.companions[UNCONDITIONAL][:, found_at.nearest(times)]
        guidance = replace(guidance, unconditional=text)
    guidance = guidance.without_idle()
    noise = latents.noise.to(model.device, torch.float32)
    if scheduler:
        return (yield from generate_draft(model, noise, scheduler, guidance))
    if settings.solver == "belm":
        return (yield from generate_pair(model, latents.to(model.device), levels, guidance))
    if SECOND in latents.companions:
        raise ValueError(
            f"latents are pairs: generate them with solver belm, not {settings.solver}."
        )
    return (yield from trajectory.generate(model, noise, levels, guidance, settings.solver))


def _guidance(model: Model, told: Conditioning, negative: str, scale: float) -> Guidance:
    guiding = model.source.guiding
    if guiding == "embedded":
        return Guidance(told.with_guidance(scale))
    if guiding == "none" or scale == 1.0:
        return Guidance(told)
    return Guidance(told, model.condition_negative([negative] * told.count), scale)


def _in_batches(
    count: int, batch: int, work: Callable[[range], Generator[Seen, None, Result]]
) -> list[Result]:
    if batch < 1:
        raise ValueError(f"batch must be at least 1, not {batch}.")
    return drained(in_batches(count, batch, BatchLimit(), work))
