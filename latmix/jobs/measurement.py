"""The job that makes an inversion's statistics live."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from torch import Tensor

from latmix.jobs.generation import fits_gram, stored_summary
from latmix.jobs.inversion import Inversion
from latmix.jobs.progress import Progress
from latmix.mixing.grid import Method
from latmix.mixing.live import LiveStatistics
from latmix.mixing.summary import Gram, Summary

EVERY_MEAN = "lp:auto"
"""The mean split that needs most: with it the statistics of every method are live."""


def measure(inversion: Inversion) -> Generator[Progress, None, LiveStatistics]:
    """Live statistics over the pictures of an inversion, in its order.

    Raises:
        StoreError: a latent is damaged.
    """
    yield Progress("measure", 0, len(inversion.rows), note="measuring")
    latents = inversion.space.read(inversion.keys) if fits_gram(inversion) else None
    gram = Gram.of(latents, EVERY_MEAN) if latents is not None else None
    summary = gram.summary if gram else stored_summary(inversion)

    def read(indices: Iterable[int]) -> Iterator[tuple[slice, Tensor]]:
        return inversion.space.blocks([inversion.keys[index] for index in indices])

    return LiveStatistics(summary, read, gram, lambda: _whole_summary(inversion))


def _whole_summary(inversion: Inversion) -> Summary:
    """With what every method needs."""
    blocks = inversion.space.blocks(inversion.keys)
    return stored_summary(inversion, Method("nin", EVERY_MEAN)).with_channels(blocks)
