"""Where each latent of a space lies, and reading it from the first sound copy. Loads no torch.

Only `space` may import it. One thread may take files in while others read.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain, takewhile
from operator import eq

from latmix.errors import StoreError
from latmix.store.reading import ShardReader, reading
from latmix.store.shards import Row, Shard

Run = tuple[range, int]
"""Rows of a file, wanted at this place among the keys and those after it."""

Take = Callable[[ShardReader, range, int], Iterable[int]]
"""Reads the rows of a `Run`, and returns which of them are damaged."""

Buffered = Callable[[Row, int], None]
"""Takes a row that is not written yet, wanted at this place."""


class RowIndex:
    """The places of every key, and what has turned out to be damaged."""

    def __init__(self, buffer: Mapping[str, Row], refresh: Callable[[], None]) -> None:
        """
        Args:
            buffer: rows by key that are not written yet, and go before those that are.
            refresh: takes in what other processes have written.
        """
        self._buffer, self._refresh = buffer, refresh
        self._places: dict[str, tuple[tuple[Shard, int], ...]] = {}
        self._damaged: set[str] = set()
        self._lock = threading.RLock()

    def __contains__(self, key: str) -> bool:
        """Whether a file has it. Reads nothing: it may turn out to be damaged."""
        return key in self._places

    def mend(self, key: str) -> None:
        """A sound row of this key is there again."""
        self._damaged.discard(key)

    def take_in(self, shard: Shard) -> None:
        """The rows of a file that is new here."""
        with self._lock:
            for index, key in enumerate(shard.keys[: shard.whole]):
                self._places[key] = (*self._places.get(key, ()), (shard, index))
                self._damaged.discard(key)

    def missing(
        self, keys: Sequence[str], take: Take, buffered: Buffered = lambda row, place: None
    ) -> list[int]:
        """Has the row of each key taken from its first sound copy, those that lie one after
        another in a file together. Copies that turn out to be damaged are forgotten.

        Returns:
            the places of the keys that no sound copy is of.
        """
        absent: set[int] = set()
        left: Sequence[int] = range(len(keys))
        while left:
            runs: dict[Shard, list[Run]] = {}
            at = 0
            while at < len(left):
                place, count = left[at], 1
                # In this order: a row is in a file before it leaves the buffer.
                row, copies = self._buffer.get(keys[place]), self._places.get(keys[place])
                if row is not None:
                    buffered(row, place)
                elif not copies:
                    absent.add(place)
                else:
                    shard, first = copies[0]
                    stored = shard.keys[first : shard.whole]
                    wanted = keys[place : place + len(stored)]
                    count = sum(takewhile(bool, map(eq, stored, wanted)))  # all in C
                    runs.setdefault(shard, []).append((range(first, first + count), place))
                at = bisect_left(left, place + count)
            again = [self._unsound(shard, chosen, keys, take) for shard, chosen in runs.items()]
            left = sorted(chain.from_iterable(again))
        return sorted(absent)

    def _unsound(
        self, shard: Shard, runs: Sequence[Run], keys: Sequence[str], take: Take
    ) -> list[int]:
        """Has runs of a file taken; the places of what is damaged there or cannot be read."""
        damaged: list[int] = []
        done = 0
        try:
            with reading(shard) as reader:
                for rows, place in runs:
                    damaged += [place + row - rows.start for row in take(reader, rows, place)]
                    done += 1
        except FileNotFoundError:
            # Another process pruned; what was sound in this file is in a newer one.
            with suppress(StoreError):
                self._refresh()
        except OSError:
            damaged += _places(runs[done:])
            done = len(runs)
        with self._lock:
            self._damaged.update(keys[place] for place in damaged)
            lost = [*damaged, *_places(runs[done:])]
            for key in {keys[place] for place in lost}:
                left = [copy for copy in self._places.get(key, ()) if copy[0] is not shard]
                self._places[key] = tuple(left)
                if not left:
                    del self._places[key]
        return lost

    def take(self, keys: Sequence[str], take: Take, buffered: Buffered) -> None:
        """As `missing`, where none may be.

        Raises:
            KeyError: one is not stored.
            StoreError: one is damaged and there is no other copy.
        """
        for place in self.missing(keys, take, buffered):
            key = keys[place]
            if key not in self._damaged:
                raise KeyError(key)
            raise StoreError(
                f"The stored latent {key} is damaged, and there is no other copy of it.",
                "Run the same command again: damaged latents are found and inverted anew.",
            )


def _places(runs: Iterable[Run]) -> list[int]:
    return [place + index for rows, place in runs for index in range(len(rows))]
