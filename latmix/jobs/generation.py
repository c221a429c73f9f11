"""The job that makes pictures of mixtures: mix stored latents, look at the numbers, generate."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from latmix.jobs.inversion import PREVIEW_SECONDS, Inversion
from latmix.jobs.progress import Progress
from latmix.jobs.workbench import Workbench
from latmix.mixing.formula import normalise_sums, weight_table, weighted_sums
from latmix.mixing.grid import Method, parse_cutoff
from latmix.mixing.statistics import Statistics, sum_statistics
from latmix.mixing.summary import Summary
from latmix.models.protocol import Conditioning, Model
from latmix.sampling.generators import watched
from latmix.sampling.pictures import BATCH, generate_batch
from latmix.sampling.settings import GenerationSettings
from latmix.sampling.trajectory import Step


@dataclass(frozen=True)
class Mixed:
    """Mixtures of one set of pictures, not yet generated.

    Attributes:
        latents: (B, C, H, W) float32.
        weights: (B, N), each row summing to 1.
        statistics: one a mixture.
    """

    latents: Tensor
    weights: Tensor
    statistics: tuple[Statistics, ...]


@dataclass(frozen=True)
class Generated:
    """Pictures of mixtures, and the seconds it took to make them."""

    pictures: tuple[Image.Image, ...]
    mixed: Mixed
    seconds: float


def mix_stored(
    inversion: Inversion, weights: Sequence[Sequence[float]] | None, method: Method
) -> Mixed:
    """Mix the latents of an inversion, read from the store in blocks.

    Args:
        weights: B rows of N, in the order of the inversion's pictures; None is equal weights.

    Raises:
        ValueError: bad weights, or latents that cancel.
    """
    keys, space = inversion.keys, inversion.space
    summary = stored_summary(inversion, method.mean)
    table = weight_table(weights, len(keys), torch.device("cpu"))
    total = weighted_sums(space.blocks(keys), summary, table)
    mixed = normalise_sums(total, summary, table, method).reshape(len(table), *space.shape)
    statistics = [
        sum_statistics(row, summary, weight, method).with_shape(mixture)
        for row, weight, mixture in zip(total, table, mixed, strict=True)
    ]
    return Mixed(mixed.float(), table, tuple(statistics))


def stored_summary(inversion: Inversion, mean: str = "0") -> Summary:
    """The sufficient statistics of an inversion's latents, with what a mean split needs.

    The latents themselves are read for a low-pass split only.
    """
    space, keys = inversion.space, inversion.keys
    squared_norm, channel_mean = space.summary(keys)
    _, height, width = space.shape
    summary = Summary(squared_norm, channel_mean, height * width)
    if parse_cutoff(mean) is None:
        return summary
    return summary.with_spectrum(space.blocks(keys), space.shape)


def generate_mixtures(
    bench: Workbench,
    inversion: Inversion,
    mixed: Mixed,
    settings: GenerationSettings,
    *,
    batch: int = BATCH,
    preview: bool = False,
) -> Generator[Progress, None, Generated]:
    """Generate the pictures of mixtures, in batches.

    Each is told the mixture of its pictures' own prompts, as L&K appendix B mixes embeddings; where
    all pictures share a prompt that is the prompt itself.

    Args:
        preview: decode the first picture of the batch at work now and then.
    """
    start = time.monotonic()
    count = len(mixed.latents)
    if not bench.is_loaded:
        yield Progress("load", 0, count, note=f"loading {bench.source.name}")
    told = mixed_prompts(bench.model, [row.prompt for row in inversion.rows], mixed.weights)
    pictures: list[Image.Image] = []
    shown = 0.0

    def tell(step: Step) -> Progress:
        nonlocal shown
        now = time.monotonic()
        due = preview and now - shown >= PREVIEW_SECONDS
        shown = now if due else shown
        return Progress(
            phase="generate",
            done=len(pictures),
            total=count,
            step=step.done,
            steps=step.total,
            active=len(step.clean),
            device=str(bench.device),
            preview=bench.model.decode(step.clean[:1])[0] if due else None,
        )

    for first in range(0, count, batch):
        rows = range(first, min(first + batch, count))
        noise = mixed.latents[first : rows.stop]
        steps = generate_batch(bench.model, noise, told.rows(rows), settings)
        pictures += bench.model.decode((yield from watched(steps, tell)))
    return Generated(tuple(pictures), mixed, time.monotonic() - start)


def mixed_prompts(model: Model, prompts: Sequence[str], weights: Tensor) -> Conditioning:
    """The weighted means (B rows) of N prompts' embeddings; a repeated one is encoded once."""
    distinct = list(dict.fromkeys(prompts))
    embedded = model.condition(distinct)
    if len(distinct) == 1:
        return embedded.rows([0] * len(weights))
    share = torch.zeros(len(weights), len(distinct), dtype=weights.dtype)
    share.index_add_(1, torch.tensor([distinct.index(p) for p in prompts]), weights)
    return embedded.mixed(share)
