"""Solvers walked by hand, without a model: as generators, to be drained or looked at."""

from __future__ import annotations

from collections.abc import Generator

from torch import Tensor

from latmix.mixing.companions import Latents
from latmix.sampling.levels import Levels
from latmix.sampling.solvers import SOLVERS
from latmix.sampling.solvers.solver import Task
from latmix.sampling.trajectory import Call, Guidance, Network, Step


def invert(
    network: Network,
    clean: Tensor,
    levels: Levels,
    guidance: Guidance,
    solver: str = "fixed-point",
    tolerance: float = 1e-5,
) -> Generator[Step | Call, None, Tensor]:
    """From clean latents to noise."""
    task = Task(network, clean, levels, guidance, tolerance)
    return (yield from SOLVERS[solver].invert(task)).noise


def generate(
    network: Network, noise: Tensor, levels: Levels, guidance: Guidance, solver: str = "ddim"
) -> Generator[Step, None, Tensor]:
    """From noise to clean latents."""
    return (yield from SOLVERS[solver].generate(Task(network, noise, levels, guidance)))


def invert_pair(
    network: Network, clean: Tensor, levels: Levels, guidance: Guidance, tolerance: float = 1e-5
) -> Generator[Step | Call, None, Latents]:
    """From clean latents to a pair."""
    return (yield from SOLVERS["belm"].invert(Task(network, clean, levels, guidance, tolerance)))


def generate_pair(
    network: Network, pair: Latents, levels: Levels, guidance: Guidance, found_at: Levels
) -> Generator[Step, None, Tensor]:
    """From a pair that was found along some levels to clean latents."""
    task = Task(
        *(network, pair.noise, levels, guidance), companions=pair.companions, found_at=found_at
    )
    return (yield from SOLVERS["belm"].generate(task))
