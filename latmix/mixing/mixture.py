"""A mixture: which pictures, with which weights. Immutable; an edit returns a new one. No torch.

The session keeps mixtures on its undo stack, recipes write them down, and the formulas take their
`weights`. A key is any string that names a picture, and stands once.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

ROUNDING = 2.0**-52
"""How far from 1 a sum of weights may be that needs no dividing."""


def normalised(weights: Iterable[float]) -> tuple[float, ...]:
    """The weights divided by their sum, or as they are where that is 1.

    Raises:
        ValueError: a weight is negative or not finite, all are zero, or there are none.
    """
    values = tuple(map(float, weights))
    if not values:
        raise ValueError("weights: there are none; at least one is needed.")
    if min(values) >= 0 and max(values) <= 1 and abs(math.fsum(values) - 1) <= ROUNDING:
        return values
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
    """Pictures (`keys`) and their weights: not negative, summing to 1, in the same order.

    Attributes:
        pinned: pictures whose weight stays as it is while others are edited, so the others share
            what the pinned ones leave. Their own weight can still be set.
    """

    keys: tuple[str, ...]
    weights: tuple[float, ...]
    pinned: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if len(self.keys) != len(self.weights):
            raise ValueError(
                f"weights: {len(self.weights)} given for {len(self.keys)} pictures; "
                "there must be one for each."
            )
        if self.pinned and not self.pinned.issubset(self.keys):
            raise ValueError("pinned: only pictures of the mixture can be.")
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
        return key in self._places

    @property
    def effective_count(self) -> float:
        """N_eff = 1 / sum w^2: how many equally weighted pictures this amounts to."""
        return 1.0 / math.fsum(weight * weight for weight in self.weights)

    def weight(self, key: str) -> float:
        """The weight of a picture; 0 for one that is not in the mixture."""
        return self.weights[self._places[key]] if key in self else 0.0

    def as_dict(self) -> dict[str, float]:
        return dict(zip(self.keys, self.weights, strict=True))

    @cached_property
    def _places(self) -> dict[str, int]:
        # Kept, and handed on by edits: of 10,000 pictures it takes longer than an edit.
        return {key: place for place, key in enumerate(self.keys)}

    def set(self, key: str, weight: float) -> Mixture:
        """Give one picture this weight (0..1); the others keep their proportions.

        A picture that is not in the mixture joins it. Where all others weigh nothing, they share
        the rest equally; a picture alone, or beside pinned ones only, keeps its weight.
        """
        if not math.isfinite(weight):
            raise ValueError(f"weight must be a finite number, not {weight}.")
        if key not in self:
            return self._joined([key]).set(key, weight)
        held = self._held({key})
        if len(held) == len(self.keys) - 1:
            return self
        room = max(0.0, 1.0 - math.fsum(held.values()))
        return self._sharing(held | {key: min(max(weight, 0.0), room)})

    def nudge(self, key: str, amount: float) -> Mixture:
        """Add to one picture's weight; the others keep their proportions."""
        return self.set(key, self.weight(key) + amount)

    def solo(self, key: str) -> Mixture:
        """All the weight on one picture, but for what is pinned."""
        return self.set(key, 1.0)

    def mute(self, *keys: str) -> Mixture:
        """No weight on these pictures; stays as it is where no other could take it."""
        muted = set(keys).intersection(self.keys)
        held = self._held(muted)
        if len(held) + len(muted) == len(self.keys) and math.fsum(held.values()) < 1.0:
            return self
        return self._sharing(held | dict.fromkeys(muted, 0.0))

    def equalise(self, keys: Iterable[str] | None = None) -> Mixture:
        """The same weight on every picture of the mixture that is not pinned.

        Args:
            keys: only these are made equal; they share what they have together, or their equal
                share of the mixture where they have nothing.
        """
        held = self._held()
        free = [key for key in self.keys if key not in held]
        chosen = set(free if keys is None else keys).intersection(free)
        if not chosen:
            return self
        room = max(0.0, 1.0 - math.fsum(held.values()))
        table = self.as_dict()
        total = room if len(chosen) == len(free) else math.fsum(table[key] for key in chosen)
        share = total / len(chosen) if total > 0 else room / len(free)
        return self._sharing(held | dict.fromkeys(chosen, share))

    def randomise(self, seed: int, concentration: float = 1.0) -> Mixture:
        """Random weights on the pictures of the mixture that are not pinned; see `random`."""
        held = self._held()
        free = [key for key in self.keys if key not in held]
        room = 1.0 - math.fsum(held.values())
        if not free or room <= 0:
            return self
        drawn = Mixture.random(free, seed, concentration).as_dict()
        return self._sharing(held | {key: room * weight for key, weight in drawn.items()})

    def take_in(self, keys: Iterable[str]) -> Mixture:
        """With these pictures too, each with its equal share of what is not pinned."""
        new = list(dict.fromkeys(key for key in keys if key not in self))
        if not new:
            return self
        held = self._held()
        free = len(self.keys) - len(held) + len(new)
        share = max(0.0, 1.0 - math.fsum(held.values())) / free
        return self._joined(new)._sharing(held | dict.fromkeys(new, share))

    def drop(self, *keys: str) -> Mixture:
        """Without these pictures; a mixture without any cannot be, so it stays as it is.

        What they weighed goes to the others in proportion, but not to pinned ones; where only
        pinned ones are left, those keep their proportions.
        """
        gone = set(keys)
        kept = {key: weight for key, weight in self.as_dict().items() if key not in gone}
        if not kept or len(kept) == len(self.keys):
            return self
        pinned = self.pinned.intersection(kept)
        if not any(kept.values()):
            return Mixture(tuple(kept), (1.0,) * len(kept), pinned)
        rest = Mixture(tuple(kept), tuple(kept.values()), pinned)
        held = self._held(gone)
        return rest._sharing(held) if len(held) < len(kept) else rest

    def pin(self, *keys: str) -> Mixture:
        """Pin these pictures, or let them loose if all of them are pinned."""
        chosen = frozenset(keys).intersection(self.keys)
        pinned = self.pinned - chosen if chosen <= self.pinned else self.pinned | chosen
        return replace(self, pinned=pinned)

    def _held(self, but: Collection[str] = ()) -> dict[str, float]:
        """The weights of the pinned pictures."""
        return {key: self.weight(key) for key in self.pinned if key not in but}

    def _joined(self, keys: Sequence[str]) -> Mixture:
        """With these pictures, which are not in it, weighing nothing."""
        weights = (*self.weights, *(0.0 for _ in keys))
        return Mixture((*self.keys, *keys), weights, self.pinned)

    def _sharing(self, given: Mapping[str, float]) -> Mixture:
        """These weights as they are; the other pictures share the rest in proportion."""
        places = [self._places[key] for key in given]
        rest = max(0.0, 1.0 - math.fsum(given.values()))
        weights = list(self.weights)
        for place in places:
            weights[place] = 0.0
        total = math.fsum(weights)
        if total >= sys.float_info.min:  # the ratio of smaller numbers would be rounding
            weights = [weight * rest / total for weight in weights]
        else:
            weights = [rest / max(1, len(weights) - len(given))] * len(weights)
        for place, weight in zip(places, given.values(), strict=True):
            weights[place] = weight
        edited = Mixture(self.keys, tuple(weights), self.pinned)
        edited.__dict__["_places"] = self._places
        return edited


def mixture_of(weights: Mapping[str, float], pinned: Iterable[str] = ()) -> Mixture:
    """The mixture of a table from key to weight; what is pinned and not in it is passed over.

    Raises:
        ValueError: as `normalised`.
    """
    return Mixture(tuple(weights), tuple(weights.values()), frozenset(pinned) & weights.keys())
