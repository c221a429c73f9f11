"""Pictures in, latents out, and back: one batch as a generator, and the public calls that drain it.

The public `latmix.invert` and `latmix.generate` are here; the jobs use `invert_batch` and
`generate_batch`, which yield after every step and so can be watched and stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

import torch
from PIL import Image
from torch import Tensor

from latmix.images import fit_picture, read_picture
from latmix.models.protocol import Conditioning, Model
from latmix.sampling import trajectory
from latmix.sampling.batches import BatchLimit, in_batches
from latmix.sampling.generators import drained
from latmix.sampling.levels import Levels
from latmix.sampling.multistep import draft_scheduler, generate_draft
from latmix.sampling.settings import TOLERANCES, GenerationSettings, InversionSettings
from latmix.sampling.solvers import DEFAULT_SOLVER, check_solver
from latmix.sampling.trajectory import Call, Guidance, Step

Readable = Image.Image | str | os.PathLike[str]

Seen = TypeVar("Seen")
Result = TypeVar("Result")

BATCH = 8
"""Pictures at a time where the caller does not say."""


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
    batch: int = BATCH,
) -> Tensor:
    """The noise latents that the model would make these pictures from.

    Args:
        images: PIL pictures or paths, one or many.
        prompt: what the pictures show, for all or one each.
        negative: the unconditional branch's prompt, used where guidance is not 1.
        steps: of the trajectory; generate with the same number for an exact round trip.
        guidance: classifier-free guidance; 1, the default, keeps latents close to noise.
        solver: a name of `latmix.sampling.solvers.SOLVERS`; not every one is for every model.
        size: (width, height) in pixels; None is the model's own.
        fit: how pictures are brought to it: "crop", "pad" or "stretch".
        batch: pictures at a time, fewer where memory runs out; changes nothing beyond rounding.

    Returns:
        (N, C, H, W) float32 on the model's device.

    Raises:
        ValueError: a bad argument. PictureError: a file that cannot be read.
    """
    many = [images] if isinstance(images, (Image.Image, str, os.PathLike)) else list(images)
    settings = InversionSettings(size or model.source.size, fit, steps, guidance, solver, negative)
    model.source.latent_shape(settings.size)
    check_solver(settings.solver, model.source)
    prompts = _prompts(model, prompt, len(many))

    def invert_some(part: range) -> Generator[Step | Call, None, Tensor]:
        pictures = [prepare(many[at], settings) for at in part]
        told = prompts[part.start : part.stop]
        return (yield from invert_batch(model, pictures, told, settings))

    return torch.cat(_in_batches(len(many), batch, invert_some))


def generate(
    model: Model,
    latents: Tensor,
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
        latents: (B, C, H, W) or one (C, H, W).
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
    if latents.ndim not in (3, 4) or latents.numel() == 0:
        raise ValueError(f"latents must be (B, C, H, W) or (C, H, W), not {tuple(latents.shape)}.")
    rows = latents if latents.ndim == 4 else latents[None]
    if rows.shape[1] != model.source.channels or not bool(torch.isfinite(rows).all()):
        raise ValueError(
            f"latents must be finite and have {model.source.channels} channels, "
            f"not {tuple(latents.shape)}."
        )
    scale = model.source.guidance if guidance is None else guidance
    generates = check_solver(solver, model.source).generates
    settings = GenerationSettings(scale, steps, negative, generates, draft)
    prompts = _prompts(model, prompt, len(rows))
    sources = prompts if source_prompt is None else _prompts(model, source_prompt, len(rows))

    def make(part: range) -> Generator[Step, None, list[Image.Image]]:
        some = slice(part.start, part.stop)
        told, origin = model.condition(prompts[some]), None
        if sources[some] != prompts[some]:
            origin = model.condition(sources[some])
        walk = generate_batch(model, rows[some], told, settings, origin)
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
) -> Generator[Step | Call, None, Tensor]:
    """Invert prepared pictures (`prepare`) together; returns (B, C, H, W) float32 noise latents."""
    told = model.condition(prompts)
    guidance = _guidance(model, told, settings.negative, settings.guidance)
    clean = model.encode(pictures)
    levels = Levels.of(model.schedule, settings.steps, model.source.patches(clean.shape))
    tolerance = TOLERANCES[str(model.dtype).removeprefix("torch.")]
    walk = trajectory.invert(model, clean, levels, guidance, settings.solver, tolerance)
    return (yield from walk)


def generate_batch(
    model: Model,
    latents: Tensor,
    told: Conditioning,
    settings: GenerationSettings,
    origin: Conditioning | None = None,
) -> Generator[Step, None, Tensor]:
    """Generate from noise latents (B, C, H, W) together; returns clean latents, not yet decoded.

    Args:
        origin: what they were inverted with, for `negative-prompt`; None is `told`.

    Raises:
        ValueError: the solver is not for this model.
    """
    if check_solver(settings.solver, model.source).is_for_guiding:
        # Away from what it is told itself, guidance has no effect at any scale.
        guidance = Guidance(told, origin, settings.guidance)
    else:
        guidance = _guidance(model, told, settings.negative, settings.guidance)
    noise = latents.to(model.device, torch.float32)
    if settings.draft:
        scheduler = draft_scheduler(model.schedule, settings.steps, settings.draft)
        return (yield from generate_draft(model, noise, scheduler, guidance))
    levels = Levels.of(model.schedule, settings.steps, model.source.patches(latents.shape))
    return (yield from trajectory.generate(model, noise, levels, guidance, settings.solver))


def _guidance(model: Model, told: Conditioning, negative: str, scale: float) -> Guidance:
    guiding = model.source.guiding
    if guiding == "embedded":
        return Guidance(told.with_guidance(scale))
    if guiding == "none" or scale == 1.0:
        return Guidance(told)
    return Guidance(told, model.condition_negative([negative] * told.count), scale)


def _prompts(model: Model, prompt: str | Sequence[str], count: int) -> list[str]:
    prompts = _one_each(prompt, count)
    if any(prompts) and not model.source.family.is_prompted:
        raise ValueError(f"prompt: {model.source.name} takes none.")
    return prompts


def _one_each(prompt: str | Sequence[str], count: int) -> list[str]:
    prompts = [prompt] * count if isinstance(prompt, str) else list(prompt)
    if count == 0:
        raise ValueError("images: there are none.")
    if len(prompts) != count:
        raise ValueError(f"prompt: {len(prompts)} given for {count}; give one, or one for each.")
    return prompts


def _in_batches(
    count: int, batch: int, work: Callable[[range], Generator[Seen, None, Result]]
) -> list[Result]:
    if batch < 1:
        raise ValueError(f"batch must be at least 1, not {batch}.")
    return drained(in_batches(count, batch, BatchLimit(), work))
