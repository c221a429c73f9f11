"""The job that makes pictures of mixtures of stored latents (`stored_mixtures`)."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from latmix.jobs.inversion import Inversion
from latmix.jobs.progress import Progress
from latmix.jobs.stored_mixtures import Mixed, mix_companions
from latmix.jobs.workbench import Workbench
from latmix.models.protocol import Conditioning, Model
from latmix.sampling.batches import in_batches
from latmix.sampling.generators import watched
from latmix.sampling.pictures import generate_batch
from latmix.sampling.settings import GenerationSettings
from latmix.sampling.trajectory import Step


@dataclass(frozen=True)
class Generated:
    """Pictures of mixtures, and the seconds it took to make them."""

    pictures: tuple[Image.Image, ...]
    seconds: float


def generate_mixtures(
    bench: Workbench,
    inversion: Inversion,
    mixed: Mixed,
    settings: GenerationSettings,
    *,
    preview: bool = False,
) -> Generator[Progress, None, Generated]:
    """Generate the pictures of mixtures, in batches.

    Each is told the settings' prompt or, where that is None, the mixture of its pictures' own
    prompts, as L&K appendix B mixes embeddings; where all pictures share a prompt, that prompt.

    Args:
        preview: decode the first picture of the batch at work now and then.
    """
    start = time.monotonic()
    count = len(mixed.latents)
    model = yield from bench.loaded(count)
    own = mixed_prompts(model, [row.prompt for row in inversion.rows], mixed.weights)
    prompt = settings.prompt
    conditioning = own if prompt is None else model.condition([prompt] * count)
    pictures: list[Image.Image] = []

    def tell(step: Step) -> Progress:
        due = preview and bench.preview.is_due
        shown = bench.preview.show(model, step.clean[0]) if due else None
        done, active, device = len(pictures), len(step.clean), str(bench.device)
        return Progress(
            "generate", done, count, step.done, step.total, active, device, preview=shown
        )

    def make(rows: range) -> Generator[Progress, None, None]:
        latents = mix_companions(inversion, mixed, rows)
        given = conditioning.rows(rows)
        origin = None if conditioning is own else own.rows(rows)
        steps = generate_batch(model, latents, given, settings, origin)
        clean = yield from watched(steps, tell)
        pictures.extend(model.decode(clean))

    yield from in_batches(count, bench.batch, bench.limit_for(inversion.settings.size), make)
    return Generated(tuple(pictures), time.monotonic() - start)


def mixed_prompts(model: Model, prompts: Sequence[str], weights: Tensor) -> Conditioning:
    """The weighted means (B rows) of N prompts' embeddings; a repeated one is encoded once."""
    distinct = list(dict.fromkeys(prompts))
    embedded = model.condition(distinct)
    if len(distinct) == 1:
        return embedded.rows([0] * len(weights))
    share = torch.zeros(len(weights), len(distinct), dtype=weights.dtype)
    share.index_add_(1, torch.tensor([distinct.index(p) for p in prompts]), weights)
    return embedded.mixed(share)
