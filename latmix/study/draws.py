"""Which pictures are mixed: the first of a folder, or random draws.

A draw is an order of the pictures; its N are the first N of it that can be read, so that a larger N
holds the pictures of a smaller one, and a picture that cannot be read gives way to the next.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from latmix.jobs.inversion import Inversion
from latmix.jobs.pictures import PictureRow


@dataclass(frozen=True)
class Draws:
    """Orders of the same pictures.

    Attributes:
        paths: the pictures in natural order.
        orders: for each draw, the places of all pictures in its order.
        seed: of random orders; None for the natural one.
    """

    paths: tuple[Path, ...]
    orders: tuple[tuple[int, ...], ...]
    seed: int | None = None

    @classmethod
    def natural(cls, paths: Sequence[Path]) -> Draws:
        """One draw: the pictures as they are."""
        return cls(tuple(paths), (tuple(range(len(paths))),))

    @classmethod
    def random(cls, paths: Sequence[Path], repeats: int, seed: int) -> Draws:
        """Random orders: a draw depends on its number, the seed and the number of pictures only."""
        orders = []
        for number in range(repeats):
            order = list(range(len(paths)))
            random.Random(f"{seed}/{number}").shuffle(order)
            orders.append(tuple(order))
        return cls(tuple(paths), tuple(orders), seed)

    def wanted(self, count: int, unreadable: Iterable[Path] = ()) -> list[Path]:
        """What all draws need for an N, in natural order, where some pictures cannot be read."""
        lost = set(unreadable)
        places: set[int] = set()
        for order in self.orders:
            places.update(islice((p for p in order if self.paths[p] not in lost), count))
        return [self.paths[place] for place in sorted(places)]

    def rows(self, inversion: Inversion, count: int) -> list[tuple[PictureRow, ...]]:
        """For each draw, its first `count` pictures that have latents."""
        known = {row.path: row for row in inversion.rows}
        return [
            tuple(islice((known[p] for p in map(self.paths.__getitem__, o) if p in known), count))
            for o in self.orders
        ]
