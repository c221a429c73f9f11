"""The jobs that measure an inversion's latents: statistics made live, and what each input is."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Sequence

from torch import Tensor

from latmix.jobs.generation import stored_summary
from latmix.jobs.inversion import Inversion
from latmix.jobs.progress import Progress
from latmix.mixing.grid import Method
from latmix.mixing.health import Health
from latmix.mixing.influence import Inputs
from latmix.mixing.live import GRAM_BYTES, LiveStatistics
from latmix.mixing.summary import Gram, Summary

LATENT_BYTES = 1 << 29
"""Latents read into memory at once to make a Gram matrix (512 MB)."""


EVERY_MEAN = "lp:auto"
"""The mean split that needs most: with it the statistics of every method are live."""


def measure(inversion: Inversion) -> Generator[Progress, None, LiveStatistics]:
    """Live statistics over the pictures of an inversion, in its order.

    Raises:
        StoreError: a latent is damaged.
    """
    count, channels = len(inversion.rows), inversion.space.shape[0]
    yield Progress("measure", 0, count, note="measuring")
    length = math.prod(inversion.space.shape)
    small = Gram.bytes_for(count, channels) <= GRAM_BYTES and 4 * count * length <= LATENT_BYTES
    gram = Gram.of(inversion.space.read(inversion.keys), EVERY_MEAN) if small else None
    summary = gram.summary if gram else stored_summary(inversion)

    return _live(inversion, summary, gram)


def measure_inputs(
    inversion: Inversion, weights: Sequence[float], method: Method
) -> Generator[Progress, None, tuple[Inputs, tuple[Health, ...]]]:
    """What each picture is to one mixture, and the health of its latent, in a few passes.

    Raises:
        ValueError: bad weights.
        StoreError: a latent is damaged.
    """
    yield Progress("measure", 0, len(inversion.rows), note="measuring")
    live = _live(inversion, stored_summary(inversion, method.mean), None)
    return live.inputs(weights, method), live.health(inversion.space.shape)


def _live(inversion: Inversion, summary: Summary, gram: Gram | None) -> LiveStatistics:
    def read(indices: Iterable[int]) -> Iterator[tuple[slice, Tensor]]:
        return inversion.space.blocks([inversion.keys[index] for index in indices])

    return LiveStatistics(summary, read, gram, lambda: stored_summary(inversion, EVERY_MEAN))
