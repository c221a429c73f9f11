"""The folder of one space: what is in it, and what may be called ours. Loads no torch.

Only the rest of this room may import it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from latmix.disk import UNFINISHED, NotReadable, explained, read_json, write_json_durably
from latmix.store.shards import (
    FORMAT,
    SHARD_NAME,
    Shape,
    Shard,
    ShardDamaged,
    ShardForeign,
    scan_shard,
)

SPACE_NAME = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Description:
    """What `space.json` says."""

    settings: Mapping[str, object]
    shape: Shape


@dataclass(frozen=True)
class SpaceInfo:
    """One space: its settings ({} if `space.json` is lost), distinct rows, bytes on disk and when
    it was last written to (seconds since 1970; 0.0 if it has no shard)."""

    id: str
    settings: Mapping[str, object]
    rows: int
    bytes: int
    modified: float


@dataclass(frozen=True)
class Unusable:
    """A file among the shards that gives no rows. `ours`: it is a shard beyond use, not a file of
    someone else, nor one that the system may be able to read another time."""

    path: Path
    reason: str
    ours: bool

    @classmethod
    def for_now(cls, path: Path, error: OSError) -> Unusable:
        """One that the system cannot read."""
        return cls(path, f"the system cannot read it: {error.strerror or error}", ours=False)


@dataclass(frozen=True)
class SpaceFolder:
    """The folder of one space, which need not exist."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def shards(self) -> Path:
        return self.path / "shards"

    @property
    def tmp(self) -> Path:
        return self.path / "tmp"

    @property
    def note(self) -> Path:
        return self.path / "space.json"

    def scan(self, seen: Container[str] = ()) -> Iterator[Shard | Unusable]:
        """What each file among the shards is, but for names that were seen already. One that has
        vanished is passed over.

        Raises:
            StoreError: the folder cannot be read.
        """
        for path in _listed(self.shards):
            if path.name in seen:
                continue
            if not SHARD_NAME.fullmatch(path.name) or path.is_symlink() or not path.is_file():
                if os.path.lexists(path):
                    yield Unusable(path, "it was not written by latmix", ours=False)
                continue
            try:
                yield scan_shard(path, self.id)
            except (ShardDamaged, ShardForeign) as error:
                yield Unusable(path, str(error), ours=isinstance(error, ShardDamaged))
            except FileNotFoundError:
                continue
            except OSError as error:
                yield Unusable.for_now(path, error)

    def unfinished(self) -> list[Path]:
        """Files that are being written, or that were when their writer died.

        Raises:
            StoreError: the folder cannot be read.
        """
        return [path for path in _listed(self.tmp) if path.suffix == UNFINISHED]

    def named_shards(self) -> list[Path]:
        """What has the name of a shard, whatever it is.

        Raises:
            StoreError: the folder cannot be read.
        """
        return [path for path in _listed(self.shards) if SHARD_NAME.fullmatch(path.name)]

    def description(self) -> Description | None:
        """What `space.json` says, or None if it is missing or cannot be believed.

        Raises:
            StoreError: it is there and cannot be read.
        """
        with explained(self.path):
            try:
                value = read_json(self.note)
            except (FileNotFoundError, NotReadable, ValueError):
                return None
        try:
            channels, height, width = (int(size) for size in value["shape"])
            settings = dict(value["settings"])
            sound = value["format"] == FORMAT and space_id(settings) == self.id
        except (ValueError, KeyError, TypeError):
            return None
        return Description(settings, (channels, height, width)) if sound else None

    def describe(self, description: Description) -> None:
        """Writes `space.json`, unless it is already there.

        Raises:
            StoreError: the system refused.
        """
        if self.description() is None:
            value = {
                "format": FORMAT,
                "space": self.id,
                "shape": list(description.shape),
                "settings": dict(description.settings),
            }
            write_json_durably(self.note, value, tmp=self.tmp)

    def info(self) -> SpaceInfo:
        """What is in it.

        Raises:
            StoreError: it cannot be read.
        """
        shards = [item for item in self.scan() if isinstance(item, Shard)]
        description = self.description()
        size = sum(shard.size for shard in shards)
        with suppress(OSError):
            size += self.note.stat().st_size
        return SpaceInfo(
            self.id,
            description.settings if description else {},
            len({key for shard in shards for key in shard.keys[: shard.whole]}),
            size,
            max((shard.modified for shard in shards), default=0.0),
        )


def space_id(settings: Mapping[str, object]) -> str:
    """The name of the space of these settings: 16 hex digits of the SHA-256 of canonical JSON.

    The order of the keys does not matter; 1 and 1.0 are different settings.

    Raises:
        ValueError: `settings` is not plain JSON (NaN and infinity are not).
    """
    try:
        text = json.dumps(settings, sort_keys=True, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"settings must be plain JSON: {error}") from error
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def space_folders(home: Path) -> list[SpaceFolder]:
    """The spaces under `home`, by id. A link is not one of them, so nothing outside is reached.

    Raises:
        StoreError: `home` cannot be read.
    """
    if home.is_symlink() or home.parent.is_symlink():
        return []
    named = [SpaceFolder(path) for path in _listed(home) if SPACE_NAME.fullmatch(path.name)]
    return [
        folder
        for folder in named
        if folder.path.is_dir()
        and not any(part.is_symlink() for part in (folder.path, folder.shards, folder.tmp))
    ]


def _listed(folder: Path) -> list[Path]:
    """What is in a folder, sorted; [] if there is none."""
    with explained(folder), suppress(FileNotFoundError):
        return sorted(folder.iterdir())
    return []
