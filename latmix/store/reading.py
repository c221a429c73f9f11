"""Reading the rows of a shard, each checked when it is first read. Loads no torch.

Only the rest of this room may import it.
"""

from __future__ import annotations

import math
import os
from types import TracebackType
from zlib import crc32

from latmix.store.shards import Buffer, Row, Shard, fill, key_bytes, read_at


class ShardReader:
    """An open shard, whose rows are checked when they are first read. A context manager.

    Raises:
        OSError: in any method, when the system cannot read.
    """

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self._file = shard.path.open("rb", buffering=0)
        status = os.fstat(self._file.fileno())
        self._sound = shard.sound.setdefault((status.st_mtime_ns, status.st_size), set())
        self._statistics: tuple[bytearray, bytearray] | None = None

    def __enter__(self) -> ShardReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def summary(self, index: int) -> Buffer | None:
        """The summary of row `index` (see `Row`), or None if it is damaged."""
        norms, means = self._read_statistics()
        width = 8 * self._shard.shape[0]
        summary = norms[8 * index : 8 * index + 8] + means[width * index : width * (index + 1)]
        if index in self._sound:
            return summary
        key = key_bytes(self._shard.keys[index])
        sound = len(summary) == 8 + width
        sound = sound and crc32(summary, crc32(key)) == self._shard.summary_checksums[index]
        return summary if sound else None

    def row(self, index: int, into: memoryview | None = None) -> Row | None:
        """Row `index`, or None if it is damaged.

        The latent's checksum is computed once for each file that has not been written to since: it
        takes several times as long as reading from the page cache.

        Args:
            into: where the latent's bytes go; None makes room for them.
        """
        summary = self.summary(index)
        if summary is None:
            return None
        size = math.prod(self._shard.shape) * 4
        latent = bytearray(size) if into is None else into
        count = fill(self._file, self._shard.starts[2] + size * index, memoryview(latent))
        if count != size:
            return None
        if index not in self._sound:
            start = self._shard.summary_checksums[index]
            if crc32(latent, start) != self._shard.checksums[index]:
                return None
            self._sound.add(index)
        return Row(self._shard.keys[index], summary, latent)

    def _read_statistics(self) -> tuple[bytearray, bytearray]:
        if self._statistics is None:
            norms, means, _ = self._shard.starts
            count = self._shard.whole  # not what the header claims, which may be anything
            self._statistics = (
                read_at(self._file, norms, 8 * count),
                read_at(self._file, means, 8 * count * self._shard.shape[0]),
            )
        return self._statistics
