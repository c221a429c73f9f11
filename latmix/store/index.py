"""Where each latent of a space lies, and reading it from the first sound copy. Loads no torch.

Only `space` may import it. One thread may take files in while others read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from operator import eq

from latmix.errors import StoreError
from latmix.store.reading import ShardReader, reading
from latmix.store.shards import Row, Shard

Place = tuple[Shard, int]
Take = Callable[[ShardReader, int], Row | None]
"""Reads a row of a file, in whole or in part; None where it is damaged."""


class RowIndex:
    """The places of every key, and what has turned out to be damaged."""

    def __init__(self, buffer: Mapping[str, Row], refresh: Callable[[], None]) -> None:
        """
        Args:
            buffer: rows by key that are not written yet, and go before those that are.
            refresh: takes in what other processes have written.
        """
        self._buffer, self._refresh = buffer, refresh
        self._places: dict[str, tuple[Place, ...]] = {}
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

    def _drop(self, key: str, place: Place) -> None:
        with self._lock:
            left = tuple(other for other in self._places.get(key, ()) if other != place)
            if left:
                self._places[key] = left
            else:
                self._places.pop(key, None)

    def in_runs(
        self, keys: Sequence[str], take: Callable[[ShardReader, range, int], Iterable[int]]
    ) -> list[int]:
        """Takes keys that lie one after another in a file together, which is quicker than `each`.

        Args:
            take: reads rows of a file, wanted at this place among the keys and those after it, and
                returns which of them it did not take.

        Returns:
            the places of the keys that are left: not taken, not written yet, or in no file.
        """
        runs, left = self._runs(keys)
        for shard, chosen in runs.items():
            try:
                with reading(shard) as reader:
                    for rows, place in chosen:
                        left += [place + row - rows.start for row in take(reader, rows, place)]
            except OSError:  # `each` tells why
                left += [place + index for rows, place in chosen for index in range(len(rows))]
        return left

    def _runs(self, keys: Sequence[str]) -> tuple[dict[Shard, list[tuple[range, int]]], list[int]]:
        """The rows of each file that are wanted one after another, with the place of the first
        among the keys; and the places of keys that are not written yet or in no file."""
        runs: dict[Shard, list[tuple[range, int]]] = {}
        left: list[int] = []
        place = 0
        while place < len(keys):
            places = self._places.get(keys[place])
            if not places or keys[place] in self._buffer:
                left.append(place)
                place += 1
                continue
            shard, first = places[0]
            stored = shard.keys[first : shard.whole]
            wanted = keys[place : place + len(stored)]
            count = sum(takewhile(bool, map(eq, stored, wanted)))  # all in C: one call a picture
            runs.setdefault(shard, []).append((range(first, first + count), place))
            place += count
        return runs, left

    def each(self, keys: Iterable[str], take: Take) -> Iterator[tuple[str, Row | None]]:
        """Each key once, in the order of the files, with what `take` reads of its first sound
        copy; None where there is none. Copies that turn out to be damaged are forgotten."""
        wanted = list(dict.fromkeys(keys))
        while wanted:
            chosen: dict[Shard, list[tuple[int, str]]] = {}
            for key in wanted:
                row, places = self._buffer.get(key), self._places.get(key)
                if row is None and places:
                    shard, index = places[0]
                    chosen.setdefault(shard, []).append((index, key))
                else:
                    yield key, row
            wanted = []
            for shard, rows in chosen.items():
                for index, key, row in self._taken(shard, sorted(rows), take):
                    if row is None:
                        self._drop(key, (shard, index))
                        wanted.append(key)
                    else:
                        yield key, row

    def _taken(
        self, shard: Shard, rows: Sequence[tuple[int, str]], take: Take
    ) -> Iterator[tuple[int, str, Row | None]]:
        """What `take` reads of these rows of one shard; None where one cannot be believed."""
        done = 0
        try:
            with reading(shard) as reader:
                for index, key in rows:
                    row = take(reader, index)
                    if row is None:
                        self._damaged.add(key)
                    done += 1
                    yield index, key, row
        except FileNotFoundError:
            # Another process pruned; what was sound in this file is in a newer one.
            with suppress(StoreError):
                self._refresh()
        except OSError:
            self._damaged.update(key for _, key in rows[done:])
        yield from ((index, key, None) for index, key in rows[done:])

    def sound_rows(self, keys: Iterable[str], take: Take) -> Iterator[Row]:
        """As `each`, where every key must be there.

        Raises:
            KeyError: one is not stored.
            StoreError: one is damaged and there is no other copy.
        """
        for key, row in self.each(keys, take):
            if row is not None:
                yield row
            elif key in self._damaged:
                raise StoreError(
                    f"The stored latent {key} is damaged, and there is no other copy of it.",
                    "Run the same command again: damaged latents are found and inverted anew.",
                )
            else:
                raise KeyError(key)
