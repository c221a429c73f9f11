"""Noise latents on disk, kept by content so that no picture is inverted twice.

    <root>/latents/v1/<space id>/space.json     what all latents in it share, for people to read
    <root>/latents/v1/<space id>/shards/        immutable files of up to 256 latents (see `shards`)
    <root>/latents/v1/<space id>/tmp/           files being written

A *space* is one model, inversion and preprocessing. What belongs to its latents (see `companions`)
is in further spaces, under the same keys. There is no database and no lock: the index is
a scan of the shards' headers, so any number of processes on any number of machines may write to
one root at once. The same key may be stored twice; every copy is as good as the others.

`LatentStore` is the door for the rest of latmix. It loads torch only when a space is opened.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from latmix.store import upkeep
from latmix.store.folders import SPACE_NAME, SpaceInfo, space_folders, space_id

if TYPE_CHECKING:
    from latmix.store.companions import AccompaniedSpace

__all__ = ["LatentStore", "SpaceInfo", "row_key", "space_id"]


def row_key(content_hash: str, prompt: str) -> str:
    """The key of the latent of a picture under a prompt: 32 hex digits."""
    text = json.dumps([content_hash, prompt])  # a list, so that no two pairs run together
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


class LatentStore:
    """All latents under one root folder, which need not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._home = self.root / "latents" / "v1"

    def open(
        self,
        settings: Mapping[str, object],
        shape: tuple[int, int, int],
        companions: Sequence[str] = (),
    ) -> AccompaniedSpace:
        """The space of `settings`, whose latents have the shape (C, H, W).

        Nothing is written before the first latent is.

        Args:
            companions: names of what belongs to each latent, which has spaces of its own.

        Raises:
            ValueError: `settings` is not plain JSON, or `shape` is not three positive numbers, or
                not the shape of the latents that the space already has.
            StoreError: the folder is there but cannot be read.
        """
        from latmix.store.companions import AccompaniedSpace

        return AccompaniedSpace(self._home, settings, shape, companions)

    def spaces(self) -> list[SpaceInfo]:
        """What is stored, by id. Reads headers, no latents.

        Raises:
            StoreError: a folder cannot be read.
        """
        return [folder.info() for folder in space_folders(self._home)]

    def verify(self) -> Generator[tuple[int, int], None, upkeep.VerifyReport]:
        """Checks every latent; yields (rows done, rows in all) and returns the report.

        Raises:
            StoreError: a folder cannot be read.
        """
        return upkeep.verify(self._home)

    def prune(
        self,
        *,
        space: str | None = None,
        older_than_days: float | None = None,
        dry_run: bool = False,
    ) -> Generator[tuple[int, int], None, upkeep.Freed]:
        """Removes what is of no use; yields (rows done, rows in all), returns what it freed.

        Always: damaged rows and files, second copies, and unfinished files older than an hour.
        What is sound is written to a new file before the old one goes. Only files that latmix
        named are touched, and no symbolic link is followed.

        Args:
            space: the id of a space to remove as a whole, or, with `older_than_days`, to look in.
            older_than_days: remove files that were written longer ago than this.
            dry_run: remove nothing, only say how much would be freed.

        Raises:
            ValueError: `space` is not an id, or `older_than_days` is negative or not finite.
            StoreError: the system refused, or another process is pruning.
        """
        if space is not None and not SPACE_NAME.fullmatch(space):
            raise ValueError(f"space must be 16 hex digits, not {space!r}")
        if older_than_days is not None and not 0 <= older_than_days < math.inf:
            raise ValueError(f"older_than_days must be 0 or more, not {older_than_days}")
        return upkeep.tidy(
            self._home, space=space, older_than_days=older_than_days, dry_run=dry_run
        )

    def compact(self, *, dry_run: bool = False) -> Generator[tuple[int, int], None, upkeep.Freed]:
        """Prunes, and joins files of less than half the rows that one may hold to full ones.

        Reads and checks every row. Stopped or killed at any moment it loses nothing: rows are in a
        new file before the old one goes.

        Raises:
            StoreError: the system refused, or another process is pruning.
        """
        return upkeep.tidy(self._home, dry_run=dry_run, joins=True)
