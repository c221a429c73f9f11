"""Checks what the latent store holds, and removes what is of no use. Loads no torch.

Reached through `LatentStore.verify`, `LatentStore.prune` and `LatentStore.compact`.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from latmix.disk import explained
from latmix.errors import StoreError
from latmix.names import display_name
from latmix.store.folders import SpaceFolder, Unusable, space_folders
from latmix.store.packing import Packer, Remover
from latmix.store.reading import rows_of
from latmix.store.shards import Row, Shard

HOUR = 3600.0
DAY = 24 * HOUR

Progress = tuple[int, int]


@dataclass(frozen=True)
class DamagedRow:
    """A row whose checksum fails, or that a file was cut short of."""

    space: str
    shard: str
    key: str


@dataclass(frozen=True)
class Freed:
    """What went, or would go: bytes on the disk, and by how many files there are fewer."""

    bytes: int
    files: int


@dataclass(frozen=True)
class VerifyReport:
    """What a check of the whole store found. `rows` are the sound ones, second copies included."""

    rows: int
    damaged: tuple[DamagedRow, ...]
    unreadable: tuple[Unusable, ...]

    @property
    def sound(self) -> bool:
        return not self.damaged and not self.unreadable


def verify(home: Path) -> Generator[Progress, None, VerifyReport]:
    """See `LatentStore.verify`."""
    damaged: list[DamagedRow] = []
    unreadable: list[Unusable] = []
    shards: list[tuple[str, Shard]] = []
    for folder in space_folders(home):
        for item in folder.scan():
            if isinstance(item, Shard):
                shards.append((folder.id, item))
            else:
                unreadable.append(item)
        if folder.description() is None and os.path.lexists(folder.note):
            unreadable.append(Unusable(folder.note, "it is garbled", ours=True))
    total = sum(len(shard.keys) for _, shard in shards)
    done = good = 0
    yield done, total
    for space, shard in shards:
        try:
            sound = [row is not None for row in rows_of(shard)]
        except FileNotFoundError:  # pruned by another process
            sound = []
            total -= len(shard.keys)
        except OSError as error:
            unreadable.append(Unusable.for_now(shard.path, error))
            sound = []
        good += sum(sound)
        damaged += [
            DamagedRow(space, shard.path.name, key)
            for key, is_sound in zip(shard.keys, sound, strict=False)
            if not is_sound
        ]
        done = min(total, done + len(shard.keys))
        yield done, total
    return VerifyReport(good, tuple(damaged), tuple(unreadable))


def tidy(
    home: Path,
    *,
    space: str | None = None,
    older_than_days: float | None = None,
    dry_run: bool = False,
    joins: bool = False,
) -> Generator[Progress, None, Freed]:
    """See `LatentStore.prune`; with `joins`, `LatentStore.compact`."""
    remover = Remover(dry_run)
    with _alone(home):
        folders = space_folders(home)
        for folder in folders:
            if space in (None, folder.id) and older_than_days is not None:
                for path in folder.named_shards():
                    remover.remove(path, time.time() - older_than_days * DAY)
            elif space == folder.id:
                _remove_space(folder, remover)
        kept = [(folder, _sorted_out(folder, remover)) for folder in folders]
        total = sum(len(shard.keys) for _, shards in kept for shard in shards)
        done = 0
        yield done, total
        for folder, shards in kept:
            known: set[str] = set()
            packer = Packer(folder.path, remover, joins=joins)
            for shard in shards:
                _pack(shard, known, packer)
                done += len(shard.keys)
                yield done, total
            packer.finish()
    return Freed(remover.freed, remover.files)


def _remove_space(folder: SpaceFolder, remover: Remover) -> None:
    for path in (*folder.named_shards(), *folder.unfinished(), folder.note):
        remover.remove(path)
    if not remover.dry_run:
        for path in (folder.shards, folder.tmp, folder.path):
            with suppress(OSError):  # not empty: something in it is not ours
                path.rmdir()


def _sorted_out(folder: SpaceFolder, remover: Remover) -> list[Shard]:
    """Removes what holds no rows, and returns the shards that do."""
    for path in folder.unfinished():
        remover.remove(path, time.time() - HOUR)
    shards = []
    for item in folder.scan():
        if isinstance(item, Unusable) and item.ours:
            remover.remove(item.path)
        elif isinstance(item, Shard) and item.path not in remover.removed:
            shards.append(item)
    return shards


def _pack(shard: Shard, known: set[str], packer: Packer) -> None:
    """Give the packer the shard's sound rows that are not yet in `known`."""
    kept: dict[str, Row] = {}
    try:
        for row in rows_of(shard):
            if row is not None and row.key not in known:
                kept.setdefault(row.key, row)
    except OSError:
        return  # The disk may recover, so what it cannot read now is left alone.
    known.update(kept)
    packer.take(shard, list(kept.values()))


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keeps a second prune out: each of two could count on the copy that the other removes.

    The lock is on the folder itself, so it needs no file and ends with its process.
    """
    if sys.platform == "win32" or not home.is_dir():
        yield
        return
    import fcntl

    with explained(home):
        handle = os.open(home, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # Some network file systems lock no folders; then this rests on there being one prune.
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise StoreError(
                    f"Another process is pruning {display_name(home)}.",
                    "Try again when it is done.",
                ) from error
        yield
    finally:
        os.close(handle)
