"""Pictures in, latents out, and back: one batch as a generator, and the public calls that drain it.

The public `latmix.invert` and `latmix.generate` are here; the jobs use `invert_batch` and
`generate_batch`, which yield after every step and so can be watched and stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from typing import Literal, TypedDict, TypeVar, Unpack, overload

from PIL import Image
from torch import Tensor

from latmix.images.pictures import read_picture
from latmix.images.pixels import fit_picture
from latmix.mixing.companions import Latents
from latmix.models.protocol import Conditioning, Model
from latmix.sampling.arguments import checked_prompts, latent_rows
from latmix.sampling.batches import BatchLimit, in_batches
from latmix.sampling.generators import drained
from latmix.sampling.levels import Levels
from latmix.sampling.multistep import draft_scheduler
from latmix.sampling.settings import (
    FIT,
    GUIDANCE,
    STEPS,
    TOLERANCES,
    GenerationSettings,
    InversionSettings,
    fitted_guidance,
)
from latmix.sampling.solvers import DEFAULT_SOLVER, check_solver, generating_solver
from latmix.sampling.solvers.null_text import INNER_STEPS
from latmix.sampling.solvers.solver import Task
from latmix.sampling.trajectory import Call, Step

Readable = Image.Image | str | os.PathLike[str]
READABLE = (Image.Image, str, os.PathLike)
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
    steps: int = STEPS,
    guidance: float = GUIDANCE,
    solver: str = DEFAULT_SOLVER,
    size: tuple[int, int] | None = None,
    fit: str = FIT,
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
    many = [images] if isinstance(images, READABLE) else list(images)
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
        return (yield from invert_batch(model, pictures, prompts[part.start : part.stop], settings))

    found = Latents.joined(_in_batches(len(many), batch, invert_some))
    return found if found.companions else found.noise


def generate(
    model: Model,
    latents: Tensor | Latents,
    prompt: str | Sequence[str] = "",
    *,
    negative: str = "",
    steps: int = STEPS,
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
        conditioning, origin = model.condition(prompts[some]), None
        if sources[some] != prompts[some]:
            origin = model.condition(sources[some])
        walk = generate_batch(model, rows.rows(some), conditioning, settings, origin)
        return model.decode((yield from walk))

    return [picture for made in _in_batches(len(rows), batch, make) for picture in made]


def prepare(image: Readable, settings: InversionSettings) -> Image.Image:
    """A picture as it is encoded, whatever it comes as: RGB, brought to the settings' size.

    Raises:
        ValueError: it is no picture. PictureError: it cannot be read.
    """
    if not isinstance(image, READABLE):
        raise ValueError(f"image must be a PIL picture or a path, not {type(image).__name__}.")
    return fit_picture(read_picture(image), settings.size, settings.fit)


def invert_batch(
    model: Model,
    pictures: Sequence[Image.Image],
    prompts: Sequence[str],
    settings: InversionSettings,
) -> Generator[Step | Call, None, Latents]:
    """Invert prepared pictures (`prepare`) together; returns float32 noise latents, companions and
    all."""
    solver = check_solver(settings.solver, model.source)
    positive, clean = model.condition(prompts), model.encode(pictures)
    task = Task(
        model,
        clean,
        Levels.of(model.schedule, settings.steps, model.source.patches(clean.shape)),
        solver.guidance(model, positive, settings.guidance, settings.negative),
        TOLERANCES[str(model.dtype).removeprefix("torch.")],
        settings.inner_steps,
    )
    return (yield from solver.invert(task))


def generate_batch(
    model: Model,
    latents: Tensor | Latents,
    conditioning: Conditioning,
    settings: GenerationSettings,
    origin: Conditioning | None = None,
) -> Generator[Step, None, Tensor]:
    """Generate from noise latents (B, C, H, W) together; returns clean latents, not yet decoded.

    Args:
        latents: those without companions are generated as plain noise.
        origin: what they were inverted with, for `negative-prompt`; None is `conditioning`.

    Raises:
        ValueError: the solver is not for this model, or not for the latents' companions.
    """
    whole = (Latents(latents) if isinstance(latents, Tensor) else latents).to(model.device)
    asked = check_solver(settings.solver, model.source)
    solver = generating_solver(asked, whole.companions, is_draft=settings.draft > 0)
    patches = model.source.patches(whole.noise.shape)
    task = Task(
        model,
        whole.noise,
        Levels.of(model.schedule, settings.steps, patches),
        solver.guidance(model, conditioning, settings.guidance, settings.negative, origin),
        companions=whole.companions,
        found_at=Levels.of(model.schedule, whole.steps, patches) if whole.steps else None,
    )
    if not settings.draft:
        return (yield from solver.generate(task))
    scheduler = draft_scheduler(model.schedule, settings.steps, settings.draft)
    return (yield from solver.draft(task, scheduler))


def _in_batches(
    count: int, batch: int, work: Callable[[range], Generator[Seen, None, Result]]
) -> list[Result]:
    if batch < 1:
        raise ValueError(f"batch must be at least 1, not {batch}.")
    return drained(in_batches(count, batch, BatchLimit(), work))
