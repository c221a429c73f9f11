"""What a study will cost, before it starts: pictures to invert and to generate, and the time.

The time is that of one network call, measured here and now, times the calls.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass

import torch

from latmix.jobs.batch_size import empty_prompts
from latmix.jobs.progress import Progress, clock_text
from latmix.jobs.recall import recall_pictures
from latmix.jobs.workbench import Workbench
from latmix.models.model_source import ModelSource
from latmix.names import plural
from latmix.sampling.settings import GenerationSettings, InversionSettings
from latmix.sampling.solvers import find_solver
from latmix.study.cells import Grid, find_lost


@dataclass(frozen=True)
class NetworkCost:
    """What is left for the network to do.

    Attributes:
        calls: each for a batch.
        call_seconds: of one; 0 where none is needed.
        seconds: of all; encoding, decoding and measuring come on top.
    """

    calls: int
    call_seconds: float
    seconds: float

    def told(self, work: str) -> str:
        """The work in a line, with the time that it takes."""
        if not self.calls:
            return work
        return (
            f"{work}: about {clock_text(self.seconds)}, at {self.call_seconds:.2g} s for each of "
            f"{self.calls:,} network calls"
        )


@dataclass(frozen=True)
class Cost(NetworkCost):
    """What is left to do of centroids.

    Attributes:
        to_invert, to_generate: pictures that are not there yet.
        pictures, cells: all that the study needs.
    """

    to_invert: int
    pictures: int
    to_generate: int
    cells: int

    def __str__(self) -> str:
        return self.told(
            f"to invert: {self.to_invert:,} of {plural(self.pictures, 'picture')}; "
            f"to generate: {self.to_generate:,} of {plural(self.cells, 'centroid')}"
        )


def estimate_cost(bench: Workbench, grid: Grid) -> Generator[Progress, None, Cost]:
    """Look what is there, and measure a network call if something is not.

    Raises:
        LatmixError: the model cannot be loaded, or the store not be read.
    """
    inverting, generating = grid.choices.for_model(bench.source)
    wanted = grid.draws.wanted(max(grid.counts))
    found = yield from recall_pictures(bench, wanted, inverting, grid.choices.prompt)
    to_invert = len(wanted) - len(found.rows) - len(found.failures)
    cells = len(grid.methods) * len(grid.counts) * len(grid.draws.orders)
    to_generate = cells
    if not to_invert:
        lost = yield from find_lost(bench, found, grid)
        cells, to_generate = len(grid.cells(found)), len(lost)
    call, batch = 0.0, bench.batch
    if to_invert or to_generate:
        yield Progress("load", 0, 0, note=f"measuring {bench.source.name}")
        batch = bench.limit_for(inverting.size).size(batch)
        call = call_seconds(bench, inverting, batch)
    each = calls_each(inverting, generating, bench.source)
    batches = (-(-count // batch) for count in (to_invert, to_generate))
    calls = round(sum(count * of_each for count, of_each in zip(batches, each, strict=True)))
    return Cost(calls, call, calls * call, to_invert, len(wanted), to_generate, cells)


def calls_each(
    settings: InversionSettings, generation: GenerationSettings, source: ModelSource
) -> tuple[float, float]:
    """Network evaluations of inverting and of generating a picture; guidance may double them."""
    inverting = settings.steps * find_solver(settings.solver).calls
    generating = generation.steps * find_solver(generation.solver).generating_calls
    generating = generation.draft or generating
    inverting *= source.guided_calls if settings.is_guided else 1
    generating *= source.guided_calls if generation.is_guided else 1
    return inverting, generating


def call_seconds(bench: Workbench, settings: InversionSettings, batch: int) -> float:
    """A network call for a batch: the second of two, since the first prepares."""
    model = bench.model
    state = torch.zeros(batch, *bench.source.latent_shape(settings.size), device=model.device)
    told = empty_prompts(model, batch)
    taken = 0.0
    for _ in range(2):
        start = time.perf_counter()
        model.predict(state, 1.0, told).sum().item()
        taken = time.perf_counter() - start
    return taken
