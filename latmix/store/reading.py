"""Reading the rows of a shard, each checked when it is first read. Loads no torch.

Only the rest of this room may import it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from io import FileIO
from zlib import crc32

from latmix.store.shards import Row, Shard, fill, key_bytes, read_at, row_bytes


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
        self._widths = row_bytes(shard.shape)
        status = os.fstat(file.fileno())
        self._sound = shard.sound.setdefault((status.st_mtime_ns, status.st_size), set())

    def row(self, index: int) -> Row | None:
        """Row `index`, or None if it is damaged."""
        latent = bytearray(self._widths[2])
        if self.latents(range(index, index + 1), memoryview(latent)):
            return None
        return Row(self._shard.keys[index], self._summary(index), latent)

    def latents(self, rows: range, into: memoryview) -> list[int]:
        """Reads the latents of rows that lie one after another, all at once.

        A checksum is computed once for each file that has not been written to since: it takes
        several times as long as reading from the page cache.

        Args:
            into: where their bytes go.

        Returns:
            which of the rows are damaged.
        """
        size = self._widths[2]
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

    def summaries(self, rows: range, norms: memoryview, means: memoryview) -> list[int]:
        """Reads the squared norms and channel means of rows that lie one after another.

        Args:
            norms, means: where their bytes go.

        Returns:
            which of the rows are damaged.
        """
        all_norms, all_means = self._statistics
        _, width, _ = self._widths
        norms[:] = all_norms[8 * rows.start : 8 * rows.stop]
        means[:] = all_means[width * rows.start : width * rows.stop]
        if self.proved(rows):
            return []
        return [index for index in rows if not self._has_sound_summary(index)]

    def _is_sound(self, index: int, latent: memoryview) -> bool:
        start, whole = self._shard.summary_checksums[index], self._shard.checksums[index]
        return self._has_sound_summary(index) and crc32(latent, start) == whole

    def _has_sound_summary(self, index: int) -> bool:
        start = crc32(key_bytes(self._shard.keys[index]))
        return crc32(self._summary(index), start) == self._shard.summary_checksums[index]

    def _summary(self, index: int) -> bytearray:
        """See `Row`."""
        (norms, means), (_, width, _) = self._statistics, self._widths
        return norms[8 * index : 8 * index + 8] + means[width * index : width * (index + 1)]

    @cached_property
    def _statistics(self) -> tuple[bytearray, bytearray]:
        """Those of all rows; zeros, which no checksum is of, where the file was cut short."""
        count = self._shard.whole  # not what the header claims, which may be anything
        norms, means = (
            read_at(self._file, start, width * count).ljust(width * count, b"\0")
            for start, width in zip(self._shard.starts[:2], self._widths[:2], strict=True)
        )
        return norms, means


def rows_of(shard: Shard) -> Iterator[Row | None]:
    """Every row of the header: None for one that is damaged or that the file was cut short of."""
    with reading(shard) as reader:
        for index in range(len(shard.keys)):
            yield reader.row(index) if index < shard.whole else None
