"""The jobs that measure an inversion's latents: statistics made live, and what each input is."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from latmix.jobs.inversion import Inversion
from latmix.jobs.progress import Progress
from latmix.jobs.stored_mixtures import fits_gram, stored_summary
from latmix.mixing.blocks import Blocks
from latmix.mixing.gram import Gram
from latmix.mixing.grid import Method
from latmix.mixing.health import Health, blocks_health
from latmix.mixing.influence import Inputs
from latmix.mixing.live import LiveStatistics
from latmix.mixing.splits import LARGEST_CUTOFF


def measure(inversion: Inversion) -> Generator[Progress, None, LiveStatistics]:
    """Live statistics over the pictures of an inversion, in its order.

    Raises:
        StoreError: a latent is damaged.
    """
    yield Progress("measure", 0, len(inversion.rows), note="measuring")
    return _live(inversion, keeps_gram=True)


def measure_inputs(
    inversion: Inversion, weights: Sequence[float], method: Method
) -> Generator[Progress, None, tuple[Inputs, tuple[Health, ...]]]:
    """What each picture is to one mixture, and the health of its latent, in a few passes.

    Raises:
        ValueError: bad weights.
        StoreError: a latent is damaged.
    """
    health = yield from measure_health(inversion)
    live = _live(inversion, keeps_gram=method.norm.turns)
    return live.inputs(weights, method), health


def measure_health(inversion: Inversion) -> Generator[Progress, None, tuple[Health, ...]]:
    """The health of each latent.

    Raises:
        StoreError: a latent is damaged.
    """
    yield Progress("measure", 0, len(inversion.rows), note="measuring")
    return blocks_health(inversion.space.blocks(inversion.keys), inversion.space.shape)


def _live(inversion: Inversion, keeps_gram: bool) -> LiveStatistics:
    """From Gram matrices where they are wanted and fit, else from the latents as they are read."""
    space, keys = inversion.space, inversion.keys

    def read(indices: Iterable[int]) -> Blocks:
        return space.blocks([keys[index] for index in indices])

    if keeps_gram and fits_gram(inversion):
        gram = Gram.of(space.read(keys), LARGEST_CUTOFF)
        return LiveStatistics(gram.summary, read, gram)
    return LiveStatistics(stored_summary(inversion), read)
