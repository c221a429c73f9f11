"""One space of the latent store, open for reading and writing.

Latents go in one at a time and reach the disk in shards. Opened through `LatentStore.open`.
One thread may add while others read.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

import torch
from torch import Tensor

from latmix.errors import StoreError
from latmix.prefetch import map_ahead
from latmix.store.folders import Description, SpaceFolder
from latmix.store.index import RowIndex
from latmix.store.memory import BlockMemory, bytes_of
from latmix.store.reading import ShardReader
from latmix.store.shards import Row, Shape, Shard, full_shard, row_bytes, write_shard

BLOCK_BYTES = 2**23
READERS = 2  # while one waits for the disk or for Python, the other copies or checks
SECONDS = 30.0
Made = TypeVar("Made")


class LatentSpace:
    """The latents of one model, inversion and preprocessing, by key. A context manager.

    Leaving it writes what was added, also when an exception or Ctrl-C ends the body. A process
    that is killed loses at most what was added since the last flush.
    """

    def __init__(
        self,
        folder: SpaceFolder,
        settings: Mapping[str, object],
        shape: Shape,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if len(shape) != 3 or min(shape) < 1:
            raise ValueError(f"shape must be three positive numbers (C, H, W), not {shape}")
        self.shape: Shape = (int(shape[0]), int(shape[1]), int(shape[2]))
        known = folder.description()
        if known and known.shape != self.shape:
            raise ValueError(f"shape must be {known.shape}, as in this space, not {self.shape}")
        self._folder = folder
        self._description = Description(settings, self.shape)
        self._clock = clock
        # 256 latents of 1024-pixel models are 256 MB: too much to hold back.
        self._full = full_shard(self.shape)
        self._buffer: dict[str, Row] = {}
        self._due = math.inf
        self._barred_until = -math.inf
        self._index = RowIndex(self._buffer, self.refresh)
        self._seen: set[str] = set()
        self._lock = threading.RLock()
        self.refresh()

    @property
    def id(self) -> str:
        """The name of the folder: 16 hex digits."""
        return self._folder.id

    @property
    def block_rows(self) -> int:
        """Latents that `blocks` reads at a time: 8 MB, which stay in a processor's cache."""
        return max(1, BLOCK_BYTES // row_bytes(self.shape)[2])

    def __enter__(self) -> LatentSpace:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self.flush()
        except StoreError as failure:
            if error is None:
                raise
            # What ended the body matters more to the caller, but the loss must not be silent.
            error.add_note(f"{len(self._buffer)} latents were not kept. {failure}")

    def __contains__(self, key: str) -> bool:
        """Whether a latent is stored or buffered. Reads nothing: it may turn out to be damaged."""
        return key in self._buffer or key in self._index

    def refresh(self) -> None:
        """Takes in what other processes have written; looks only at files that are new.

        Raises:
            StoreError: the folder cannot be read.
        """
        with self._lock:
            for item in self._folder.scan(self._seen):
                self._seen.add(item.path.name)
                if isinstance(item, Shard) and item.shape == self.shape:
                    self._index.take_in(item)

    def add(self, key: str, latent: Tensor) -> None:
        """Takes a latent (C, H, W), of any float type and device, and keeps it as float32.

        Buffered; written with others after 256 rows (64 MB if that is less) or when 30 s have
        passed since the first that is not yet written, or by `flush`. Adding a key again is
        legal, and mends a damaged row.

        Raises:
            ValueError: `latent` has another shape than the space, or is not finite in float32.
            StoreError: it was time to write and the system refused. The latent is buffered all
                the same, can be read, and the next try is made after 30 s or by `flush`.
        """
        row = _packed(key, latent, self.shape)
        with self._lock:
            now = self._clock()
            self._buffer[key] = row
            self._index.mend(key)
            self._due = min(self._due, now + SECONDS)
            ripe = len(self._buffer) >= self._full or now >= self._due
            if ripe and now >= self._barred_until:
                self.flush()

    def flush(self) -> None:
        """Writes what is buffered, so that it survives a power cut.

        Raises:
            StoreError: the system refused; what is not written stays buffered.
        """
        with self._lock:
            try:
                while rows := list(islice(self._buffer.values(), self._full)):
                    self._write(rows)
            except StoreError:
                self._barred_until = self._clock() + SECONDS
                raise
            self._due, self._barred_until = math.inf, -math.inf

    def missing(self, keys: Sequence[str]) -> list[int]:
        """The indices into `keys` of what must be computed: absent, or damaged in every copy.

        Reads and checks every row that is there and that it has not found sound before.
        """
        memory = BlockMemory(self.block_rows, self.shape)

        def check(reader: ShardReader, rows: range, _: int) -> Iterable[int]:
            if reader.proved(rows):
                return ()
            return reader.latents(rows, bytes_of(memory.block(len(rows))))

        def absent(part: slice) -> list[int]:
            return [part.start + place for place in self._index.missing(keys[part], check)]

        parts = map_ahead(self._parts(keys), absent, READERS, READERS)
        return [place for _, found in parts for place in found.result()]

    def read(self, keys: Sequence[str]) -> Tensor:
        """The latents of `keys`, in their order: (N, C, H, W) float32, on the CPU.

        Raises:
            KeyError: a key is not stored.
            StoreError: a row is damaged and there is no other copy.
        """
        latents = torch.empty(len(keys), *self.shape)
        self._read_into(latents, keys)
        return latents

    def _read_into(self, latents: Tensor, keys: Sequence[str]) -> None:
        size = row_bytes(self.shape)[2]
        memory = bytes_of(latents)

        def take(reader: ShardReader, rows: range, place: int) -> list[int]:
            return reader.latents(rows, memory[size * place : size * (place + len(rows))])

        def buffered(row: Row, place: int) -> None:
            memory[size * place : size * (place + 1)] = row.latent

        self._index.take(keys, take, buffered)

    def summary(self, keys: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Squared norms (N,) and channel means (N, C), float64, without reading the latents.

        Raises:
            KeyError: a key is not stored.
            StoreError: a row is damaged and there is no other copy.
        """
        norms = torch.empty(len(keys), 1, dtype=torch.float64)
        means = torch.empty(len(keys), self.shape[0], dtype=torch.float64)
        _, width, _ = row_bytes(self.shape)
        norm_bytes, mean_bytes = bytes_of(norms), bytes_of(means)

        def take(reader: ShardReader, rows: range, place: int) -> list[int]:
            end = place + len(rows)
            into = norm_bytes[8 * place : 8 * end], mean_bytes[width * place : width * end]
            return reader.summaries(rows, *into)

        def buffered(row: Row, place: int) -> None:
            norm_bytes[8 * place : 8 * (place + 1)] = row.summary[:8]
            mean_bytes[width * place : width * (place + 1)] = row.summary[8:]

        self._index.take(keys, take, buffered)
        return norms[:, 0], means

    def blocks(self, keys: Sequence[str]) -> Iterator[tuple[slice, Tensor]]:
        """The latents of `keys` in order, `block_rows` at a time: their slice, and (B, C, H, W).

        For sums over more latents than fit into memory. While the caller works on a block the
        next ones are read, into the memory of those that nobody holds any more.

        Raises:
            KeyError, StoreError: as `read`.
        """
        return self.each_block(keys, lambda _, latents: latents)

    def each_block(
        self, keys: Sequence[str], work: Callable[[slice, Tensor], Made]
    ) -> Iterator[tuple[slice, Made]]:
        """What some work makes of each of the `blocks`, in order.

        Args:
            work: called with a block's slice and the block, in the thread that has read it and so
                has it in its cache; on several blocks at a time, in any order.

        Raises:
            KeyError, StoreError: as `blocks`.
        """
        memory = BlockMemory(min(self.block_rows, len(keys)), self.shape)

        def made(part: slice) -> Made:
            latents = memory.block(part.stop - part.start)
            self._read_into(latents, keys[part])
            return work(part, latents)

        parts = self._parts(keys)
        if len(parts) == 1:  # starting a thread takes longer than reading a latent
            yield parts[0], made(parts[0])
            return
        for part, found in map_ahead(parts, made, READERS, READERS):
            yield part, found.result()

    def _parts(self, keys: Sequence[str]) -> list[slice]:
        count, rows = len(keys), self.block_rows
        return [slice(start, min(start + rows, count)) for start in range(0, count, rows)]

    def _write(self, rows: Sequence[Row]) -> None:
        self._folder.describe(self._description)
        shard = write_shard(self._folder.path, rows, self.shape)
        self._seen.add(shard.path.name)
        self._index.take_in(shard)
        # Only now, so that a reader in another thread finds each row in one place or the other.
        for row in rows:
            self._buffer.pop(row.key, None)


def _packed(key: str, latent: Tensor, shape: Shape) -> Row:
    """The latent as it will lie on disk, with its statistics computed in float64."""
    if not key:
        raise ValueError("key must not be empty")
    if tuple(latent.shape) != shape:
        raise ValueError(f"latent must have shape {shape}, not {tuple(latent.shape)}")
    stored = latent.detach().to("cpu", torch.float32).contiguous()
    if not bool(torch.isfinite(stored).all()):
        raise ValueError(f"latent {key} must be finite in float32")
    exact = stored.double()
    summary = torch.cat([exact.square().sum()[None], exact.mean(dim=(1, 2))])
    return Row(key, bytearray(summary.numpy().tobytes()), bytearray(stored.numpy().tobytes()))
