"""What a study will cost, before it starts: pictures to invert and to generate, and the time.

The time is that of one network call, measured here and now, times the calls.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch

from latmix.jobs.inversion import PromptOf
from latmix.jobs.progress import Progress
from latmix.jobs.recall import recall_pictures
from latmix.jobs.workbench import Workbench
from latmix.sampling.settings import InversionSettings
from latmix.sampling.solvers import find_solver
from latmix.study.cells import Making, find_lost, plan_cells
from latmix.study.draws import Draws


@dataclass(frozen=True)
class Cost:
    """What is left to do.

    Attributes:
        to_invert, to_generate: pictures that are not there yet.
        pictures, cells: all that the study needs.
        calls: of the network, each for a batch.
        call_seconds: of one; 0 where none is needed.
        seconds: of all; encoding, decoding and measuring come on top.
    """

    to_invert: int
    pictures: int
    to_generate: int
    cells: int
    calls: int
    call_seconds: float
    seconds: float


def estimate_cost(
    bench: Workbench,
    draws: Draws,
    methods: Sequence[str],
    counts: Sequence[int],
    settings: InversionSettings,
    prompt_of: PromptOf,
    making: Making,
) -> Generator[Progress, None, Cost]:
    """Look what is there, and measure a network call if something is not.

    Raises:
        LatmixError: the model cannot be loaded, or the store not be read.
    """
    wanted = draws.wanted(max(counts))
    found = yield from recall_pictures(bench, wanted, settings, prompt_of)
    to_invert = len(wanted) - len(found.rows) - len(found.failures)
    cells = len(methods) * len(counts) * len(draws.orders)
    to_generate = cells
    if not to_invert:
        known = plan_cells(draws, found, methods, counts)
        lost = yield from find_lost(bench, found, known, making)
        cells, to_generate = len(known), len(lost)
    call = 0.0
    if to_invert or to_generate:
        yield Progress("load", 0, 0, note=f"measuring {bench.source.name}")
        call = _call_seconds(bench, settings, making.batch)
    doubles = bench.source.guiding == "classifier-free"
    calls = _calls(settings, making, to_invert, to_generate, doubles)
    return Cost(to_invert, len(wanted), to_generate, cells, calls, call, calls * call)


def _calls(
    settings: InversionSettings, making: Making, to_invert: int, to_generate: int, doubles: bool
) -> int:
    """Network calls of whole batches; classifier-free guidance doubles them."""
    inverting = settings.steps * find_solver(settings.solver).calls
    generating = making.generation.steps * find_solver(making.generation.solver).generating_calls
    inverting *= 2 if doubles and settings.is_guided else 1
    generating *= 2 if doubles and making.generation.is_guided else 1
    inverted, generated = (-(-count // making.batch) for count in (to_invert, to_generate))
    return round(inverted * inverting + generated * generating)


def _call_seconds(bench: Workbench, settings: InversionSettings, batch: int) -> float:
    """A network call for a batch: the second of two, since the first prepares."""
    model = bench.model
    state = torch.zeros(batch, *bench.source.latent_shape(settings.size), device=model.device)
    told = model.condition([""] * batch)
    taken = 0.0
    for _ in range(2):
        start = time.perf_counter()
        model.predict(state, 1.0, told).sum().item()
        taken = time.perf_counter() - start
    return taken
