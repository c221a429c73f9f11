"""Paths between points of the plane under the mixing methods: L&K figure 2, by `latmix.mix` itself.

In two dimensions L = 2, and the norm of a typical sample is R = sqrt(2). A mean split of two
elements leaves one, so that the paths are of methods that split nothing off, unless others are
named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch

from latmix.mixing.formula import mix
from latmix.mixing.grid import methods, parse_method
from latmix.mixing.splits import Nothing

RADIUS = math.sqrt(2.0)
"""R = sqrt(L) in the plane. L&K section 3."""

POINTS = ((2.0, 0.45), (-0.8, 0.75))
"""Two points of different norm, an obtuse angle apart: every method goes another way."""

Place = tuple[float, float]


@dataclass(frozen=True)
class Sample:
    """A point of a path: where it is for a weight of the path's end."""

    weight: float
    place: Place

    @property
    def norm(self) -> float:
        return math.hypot(*self.place)


Leg = tuple[Sample, ...]
"""The path from one point to the next; a weight at which the points cancel is left out."""


@dataclass(frozen=True)
class MethodPaths:
    """What a method makes of points.

    Attributes:
        legs: from each point to the next.
        centroid: of all points; None where they cancel.
    """

    method: str
    legs: tuple[Leg, ...]
    centroid: Place | None

    @property
    def norms(self) -> list[float]:
        return [sample.norm for leg in self.legs for sample in leg]


def flat_methods() -> tuple[str, ...]:
    """The methods of the grid that split nothing off and mix points of the plane."""
    return tuple(
        name for name in methods() if parse_method(name).split == Nothing() and mixes_points(name)
    )


def mixes_points(method: str) -> bool:
    """Whether a method works on latents of shape (N, 2)."""
    return _mixed([(1.0, 0.0), (0.0, 1.0)], [0.3, 0.7], method) is not None


def trace_paths(points: Sequence[Place], method: str, steps: int) -> MethodPaths:
    """The paths from each point to the next, sampled at steps + 1 equal steps of weight.

    Args:
        points: at least two, none at the origin.

    Raises:
        ValueError: fewer points, no step, or a method that does not mix points of the plane.
    """
    if len(points) < 2 or any(not 0 < math.hypot(*place) < math.inf for place in points):
        raise ValueError(f"points must be two or more, none at the origin, not {points}.")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}.")
    if not mixes_points(method):
        raise ValueError(f"method {method} does not mix points of the plane: use a */0 method.")
    legs = tuple(_leg(ends, method, steps) for ends in pairwise(points))
    equal = [1.0] * len(points)
    return MethodPaths(method, legs, _mixed(points, equal, method))


def _leg(ends: Sequence[Place], method: str, steps: int) -> Leg:
    samples = []
    for index in range(steps + 1):
        weight = index / steps
        place = _mixed(ends, [1.0 - weight, weight], method)
        if place is not None:
            samples.append(Sample(weight, place))
    return tuple(samples)


def _mixed(points: Sequence[Place], weights: Sequence[float], method: str) -> Place | None:
    """The mixture; None where the points cancel, or the method wants latents of another shape."""
    table = torch.tensor(points, dtype=torch.float64)
    try:
        x, y = mix(table, weights, method).tolist()
    except ValueError:
        return None
    return (x, y)
