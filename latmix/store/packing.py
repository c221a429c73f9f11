"""Removing files of the store, and writing the rows they hold anew first. Loads no torch.

Only `upkeep` may import it.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from latmix.disk import explained
from latmix.store.shards import Row, Shard, full_shard, write_shard


class Remover:
    """Removes files, or only counts what that would free; remembers what has been removed."""

    def __init__(self, dry_run: bool) -> None:
        self.dry_run = dry_run
        self.freed = self.files = 0
        self.removed: set[Path] = set()

    def remove(self, path: Path, before: float = math.inf) -> None:
        """Removes `path` if it is a plain file last written before this time."""
        with explained(path.parent), suppress(FileNotFoundError):
            status = path.lstat()
            plain = stat.S_ISREG(status.st_mode) and path not in self.removed
            if plain and status.st_mtime < before:
                if not self.dry_run:
                    path.unlink()
                self.freed += status.st_size
                self.files += 1
                self.removed.add(path)


class Packer:
    """Writes shards of one folder anew without the rows they shall lose, or joined to full ones.

    A file goes only when all of its rows that are kept are in new ones: a crash in between leaves
    second copies, which the next time finds.
    """

    def __init__(self, space: Path, remover: Remover, *, joins: bool) -> None:
        """
        Args:
            joins: put the rows of small shards, less than half full, together.
        """
        self._space, self._remover, self._joins = space, remover, joins
        self._rows: list[Row] = []
        self._sources: list[Shard] = []
        self._is_lossy = False

    def take(self, shard: Shard, rows: Sequence[Row]) -> None:
        """A shard, and those of its rows that are to be kept; it may stay as it is.

        Raises:
            StoreError: the system refused.
        """
        full = full_shard(shard.shape)
        loses = len(rows) < len(shard.keys)
        if not loses and not (self._joins and 2 * len(rows) < full):
            return
        if self._sources and self._sources[0].shape != shard.shape:
            self.finish()
        self._rows += rows
        self._sources.append(shard)
        self._is_lossy |= loses
        if not self._joins:
            self.finish()
            return
        while len(self._rows) >= full:
            # What is over are rows of the last shard alone: there was no room left before it.
            self._write(self._rows[:full])
            self._rows = self._rows[full:]
            last = self._sources[-1:] if self._rows else []
            self._remove(self._sources[: len(self._sources) - len(last)])
            self._sources, self._is_lossy = last, bool(last)

    def finish(self) -> None:
        """Writes what waits.

        Raises:
            StoreError: the system refused.
        """
        if len(self._sources) > 1 or self._is_lossy:  # one alone that loses nothing stays
            if self._rows:
                self._write(self._rows)
            self._remove(self._sources)
        self._rows, self._sources, self._is_lossy = [], [], False

    def _write(self, rows: Sequence[Row]) -> None:
        """Writes rows of the sources as a new shard, which is as old as the newest of them."""
        dry_run = self._remover.dry_run
        shard = write_shard(self._space, rows, self._sources[0].shape, dry_run=dry_run)
        if not dry_run:
            newest = max(source.modified for source in self._sources)
            with explained(self._space):  # an old row does not get young by moving
                os.utime(shard.path, (newest, newest))
        self._remover.freed -= shard.size
        self._remover.files -= 1

    def _remove(self, shards: Sequence[Shard]) -> None:
        for shard in shards:
            self._remover.remove(shard.path)
