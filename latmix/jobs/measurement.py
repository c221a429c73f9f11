"""The jobs that measure an inversion's latents: statistics made live, and what each input is."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence

from torch import Tensor

from latmix.jobs.inversion import Inversion
from latmix.jobs.progress import Progress
from latmix.jobs.stored_mixtures import fits_gram, stored_summary
from latmix.mixing.gram import Gram
from latmix.mixing.grid import Method
from latmix.mixing.health import Health, blocks_health
from latmix.mixing.influence import Inputs
from latmix.mixing.live import LiveStatistics
from latmix.mixing.splits import LARGEST_CUTOFF
from latmix.mixing.summary import Summary


def measure(inversion: Inversion) -> Generator[Progress, None, LiveStatistics]:
    """Live statistics over the pictures of an inversion, in its order.

    Raises:
        StoreError: a latent is damaged.
    """
    yield Progress("measure", 0, len(inversion.rows), note="measuring")
    gram = _gram(inversion, LARGEST_CUTOFF) if fits_gram(inversion) else None
    return _live(inversion, gram.summary if gram else stored_summary(inversion), gram)


def measure_inputs(
    inversion: Inversion, weights: Sequence[float], method: Method
) -> Generator[Progress, None, tuple[Inputs, tuple[Health, ...]]]:
    """What each picture is to one mixture, and the health of its latent, in a few passes.

    Raises:
        ValueError: bad weights.
        StoreError: a latent is damaged.
    """
    yield Progress("measure", 0, len(inversion.rows), note="measuring")
    by_gram = method.norm.turns and fits_gram(inversion)
    gram = _gram(inversion, method.split.largest) if by_gram else None
    live = _live(inversion, gram.summary if gram else stored_summary(inversion, method), gram)
    return live.inputs(weights, method), _health(inversion)


def measure_health(inversion: Inversion) -> Generator[Progress, None, tuple[Health, ...]]:
    """The health of each latent.

    Raises:
        StoreError: a latent is damaged.
    """
    yield Progress("measure", 0, len(inversion.rows), note="measuring")
    return _health(inversion)


def _health(inversion: Inversion) -> tuple[Health, ...]:
    return blocks_health(inversion.space.blocks(inversion.keys), inversion.space.shape)


def _gram(inversion: Inversion, cutoff: float | None) -> Gram:
    return Gram.of(inversion.space.read(inversion.keys), cutoff)


def _live(inversion: Inversion, summary: Summary, gram: Gram | None) -> LiveStatistics:
    def read(indices: Iterable[int]) -> Iterator[tuple[slice, Tensor]]:
        return inversion.space.blocks([inversion.keys[index] for index in indices])

    return LiveStatistics(summary, read, gram)
