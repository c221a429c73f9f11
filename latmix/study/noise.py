"""Seeded noise latents, and the clean latents that a model makes from them."""

from __future__ import annotations

from collections.abc import Generator

import torch
from PIL import Image
from torch import Tensor

from latmix.jobs.progress import Progress
from latmix.jobs.workbench import Workbench
from latmix.sampling.batches import BatchLimit, in_batches
from latmix.sampling.generators import watched
from latmix.sampling.pictures import generate_batch
from latmix.sampling.settings import GenerationSettings
from latmix.sampling.trajectory import Step


def sample_noise(count: int, shape: tuple[int, int, int], seed: int) -> Tensor:
    """`count` samples of N(0, I), (count, C, H, W) float32; more of them begin with the same."""
    source = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randn(shape, generator=source) for _ in range(count)])


def generate_clean(
    bench: Workbench, noise: Tensor, prompt: str, settings: GenerationSettings
) -> Generator[Progress, None, Tensor]:
    """Clean latents (B, C, H, W), float32 on the CPU, not yet decoded."""
    count = len(noise)
    yield from bench.loaded(count)

    def make(rows: range) -> Generator[Progress, None, Tensor]:
        def tell(step: Step) -> Progress:
            done, active, place = rows.start, len(step.clean), str(bench.device)
            return Progress("generate", done, count, step.done, step.total, active, place)

        told = bench.model.condition([prompt] * len(rows))
        steps = generate_batch(bench.model, noise[rows.start : rows.stop], told, settings)
        clean = yield from watched(steps, tell)
        return clean.float().cpu()

    return torch.cat((yield from in_batches(count, bench.batch, _limit(bench, noise), make)))


def decode_clean(bench: Workbench, clean: Tensor) -> Generator[Progress, None, list[Image.Image]]:
    """The pictures of clean latents (B, C, H, W)."""
    pictures: list[Image.Image] = []

    def decode(rows: range) -> Generator[Progress, None, None]:
        pictures.extend(bench.model.decode(clean[rows.start : rows.stop].to(bench.device)))
        yield Progress("decode", len(pictures), len(clean), device=str(bench.device))

    yield from in_batches(len(clean), bench.batch, _limit(bench, clean), decode)
    return pictures


def _limit(bench: Workbench, latents: Tensor) -> BatchLimit:
    """That of pictures of the size that these latents have."""
    height, width = (int(side) * bench.source.cell for side in latents.shape[2:])
    return bench.limit_for((width, height))
