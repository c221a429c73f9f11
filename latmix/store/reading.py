"""Reading the rows of a shard, each checked when it is first read. Loads no torch.

Only the rest of this room may import it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import FileIO
from zlib import crc32

from latmix.disk import Buffer
from latmix.store.shards import Row, Shard, fill, key_bytes, read_at


@contextmanager
def reading(shard: Shard) -> Iterator[ShardReader]:
    """The reader of a shard, whose file is open meanwhile.

    Raises:
        OSError: there or in the body, when the system cannot read.
    """
    with shard.path.open("rb", buffering=0) as file:
        yield ShardReader(shard, file)


class ShardReader:
    """An open shard, whose rows are checked when they are first read."""

    def __init__(self, shard: Shard, file: FileIO) -> None:
        self._shard, self._file = shard, file
        self._row_bytes = 4 * math.prod(shard.shape)
        status = os.fstat(file.fileno())
        self._sound = shard.sound.setdefault((status.st_mtime_ns, status.st_size), set())
        self._statistics: tuple[bytearray, bytearray] | None = None

    def row(self, index: int) -> Row | None:
        """Row `index`, or None if it is damaged."""
        latent = bytearray(self._row_bytes)
        if self.latents(range(index, index + 1), memoryview(latent)):
            return None
        row = self.summary(index)
        return row and replace(row, latent=latent)

    def summary(self, index: int) -> Row | None:
        """Row `index` without its latent, or None if it is damaged."""
        norms, means = self._read_statistics()
        width, key = 8 * self._shard.shape[0], self._shard.keys[index]
        summary = norms[8 * index : 8 * index + 8] + means[width * index : width * (index + 1)]
        if len(summary) != 8 + width:
            return None
        checksum = self._shard.summary_checksums[index]
        if index in self._sound or crc32(summary, crc32(key_bytes(key))) == checksum:
            return Row(key, summary)
        return None

    def latents(self, rows: range, into: memoryview) -> list[int]:
        """Reads the latents of rows that lie one after another, all at once.

        A checksum is computed once for each file that has not been written to since: it takes
        several times as long as reading from the page cache.

        Args:
            into: where their bytes go.

        Returns:
            which of the rows are damaged.
        """
        size = self._row_bytes
        count = fill(
            self._file, self._shard.starts[2] + size * rows.start, into[: size * len(rows)]
        )
        read = rows[: count // size]
        damaged = list(rows[len(read) :])
        for place, index in enumerate(read):
            if index not in self._sound:
                if self._is_sound(index, into[size * place : size * (place + 1)]):
                    self._sound.add(index)
                else:
                    damaged.append(index)
        return damaged

    def proved(self, rows: range) -> bool:
        """Whether all of these rows were found sound before, in the file as it is."""
        return self._sound.issuperset(rows)

    def summaries(self, rows: range) -> tuple[Buffer, Buffer] | None:
        """The squared norms and the channel means of rows that lie one after another, if all of
        them were found sound before."""
        norms, means = self._read_statistics()
        width = 8 * self._shard.shape[0]
        if not self.proved(rows) or len(means) < width * rows.stop:
            return None
        return (
            norms[8 * rows.start : 8 * rows.stop],
            means[width * rows.start : width * rows.stop],
        )

    def _is_sound(self, index: int, latent: memoryview) -> bool:
        start, whole = self._shard.summary_checksums[index], self._shard.checksums[index]
        return self.summary(index) is not None and crc32(latent, start) == whole

    def _read_statistics(self) -> tuple[bytearray, bytearray]:
        if self._statistics is None:
            norms, means, _ = self._shard.starts
            count = self._shard.whole  # not what the header claims, which may be anything
            self._statistics = (
                read_at(self._file, norms, 8 * count),
                read_at(self._file, means, 8 * count * self._shard.shape[0]),
            )
        return self._statistics


def rows_of(shard: Shard) -> Iterator[Row | None]:
    """Every row of the header: None for one that is damaged or that the file was cut short of."""
    with reading(shard) as reader:
        for index in range(len(shard.keys)):
            yield reader.row(index) if index < shard.whole else None
