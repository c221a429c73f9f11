"""A mixture: which pictures, with which weights. Immutable; an edit returns a new one. No torch.

The session keeps mixtures on its undo stack, recipes write them down, and the formulas take their
`weights`. A key is any string that names a picture, and stands once.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


def normalised(weights: Iterable[float]) -> tuple[float, ...]:
    """The weights divided by their sum.

    Raises:
        ValueError: a weight is negative or not finite, all are zero, or there are none.
    """
    values = tuple(float(weight) for weight in weights)
    if not values:
        raise ValueError("weights: there are none; at least one is needed.")
    for value in values:
        if not math.isfinite(value):
            raise ValueError(f"weights must be finite numbers, not {value}.")
        if value < 0:
            raise ValueError(f"weights must not be negative, but one is {value:g}.")
    largest = max(values)
    if largest == 0:
        raise ValueError("weights are all zero; at least one must be positive.")
    # Dividing by the largest first keeps the sum finite for weights near the float limit.
    scaled = [value / largest for value in values]
    total = math.fsum(scaled)
    return tuple(value / total for value in scaled)


@dataclass(frozen=True)
class Mixture:
    """Pictures (`keys`) and their weights: not negative, summing to 1, in the same order."""

    keys: tuple[str, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.keys) != len(self.weights):
            raise ValueError(
                f"weights: {len(self.weights)} given for {len(self.keys)} pictures; "
                "there must be one for each."
            )
        object.__setattr__(self, "weights", normalised(self.weights))

    @classmethod
    def equal(cls, keys: Iterable[str]) -> Mixture:
        """All pictures with the same weight."""
        keys = tuple(keys)
        return cls(keys, (1.0,) * len(keys))

    @classmethod
    def random(cls, keys: Iterable[str], seed: int, concentration: float = 1.0) -> Mixture:
        """Weights from a symmetric Dirichlet distribution.

        Args:
            seed: the same seed gives the same weights on every machine.
            concentration: 1 is uniform on the simplex; larger is nearer to equal weights.
        """
        keys = tuple(keys)
        draw = random.Random(seed)
        weights = tuple(draw.gammavariate(concentration, 1.0) for _ in keys)
        return cls(keys, weights if any(weights) else (1.0,) * len(keys))

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: object) -> bool:
        return key in self.keys

    @property
    def effective_count(self) -> float:
        """N_eff = 1 / sum w^2: how many equally weighted pictures this amounts to."""
        return 1.0 / math.fsum(weight * weight for weight in self.weights)

    def weight(self, key: str) -> float:
        """The weight of a picture; 0 for one that is not in the mixture."""
        return self.weights[self.keys.index(key)] if key in self.keys else 0.0

    def as_dict(self) -> dict[str, float]:
        return dict(zip(self.keys, self.weights, strict=True))

    def set(self, key: str, weight: float) -> Mixture:
        """Give one picture this weight (0..1); the others keep their proportions.

        A picture that is not in the mixture joins it. Where all others weigh nothing, they share
        the rest equally; a picture alone keeps weight 1.
        """
        if not math.isfinite(weight):
            raise ValueError(f"weight must be a finite number, not {weight}.")
        if key not in self.keys:
            return Mixture((*self.keys, key), (*self.weights, 0.0)).set(key, weight)
        if len(self.keys) == 1:
            return self
        weight = min(max(weight, 0.0), 1.0)
        at = self.keys.index(key)
        others = math.fsum(w for i, w in enumerate(self.weights) if i != at)
        rest = 1.0 - weight
        if others > 0:
            weights = [w * rest / others for w in self.weights]
        else:
            weights = [rest / (len(self.keys) - 1)] * len(self.keys)
        weights[at] = weight
        return self._with(weights)

    def nudge(self, key: str, amount: float) -> Mixture:
        """Add to one picture's weight; the others keep their proportions."""
        return self.set(key, self.weight(key) + amount)

    def solo(self, key: str) -> Mixture:
        """All the weight on one picture."""
        return self.set(key, 1.0)

    def mute(self, key: str) -> Mixture:
        """No weight on one picture; one that is alone cannot be muted and stays."""
        return self.set(key, 0.0)

    def equalise(self) -> Mixture:
        """The same weight on every picture of the mixture."""
        return Mixture.equal(self.keys)

    def randomise(self, seed: int, concentration: float = 1.0) -> Mixture:
        """Random weights on the pictures of the mixture; see `random`."""
        return Mixture.random(self.keys, seed, concentration)

    def drop(self, key: str) -> Mixture:
        """Without one picture; the last picture stays."""
        kept = [(k, w) for k, w in zip(self.keys, self.weights, strict=True) if k != key]
        if not kept or len(kept) == len(self.keys):
            return self
        if not any(weight for _, weight in kept):
            return Mixture.equal(k for k, _ in kept)
        return Mixture(tuple(k for k, _ in kept), tuple(w for _, w in kept))

    def _with(self, weights: Sequence[float]) -> Mixture:
        return Mixture(self.keys, tuple(weights))


def mixture_of(weights: Mapping[str, float]) -> Mixture:
    """The mixture of a table from key to weight.

    Raises:
        ValueError: as `normalised`.
    """
    return Mixture(tuple(weights), tuple(weights.values()))
