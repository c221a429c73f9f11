"""The file format of stored latents, and nothing else: written and scanned without torch.

A shard is a safetensors file that never changes once it has its name, `<32 hex>.safetensors`:

| tensor | shape | type |
|---|---|---|
| `squared_norm` | (k,) | float64 |
| `channel_mean` | (k, C) | float64 |
| `latents` | (k, C, H, W) | float32 |

Its metadata are strings: `format` (`latmix-latents-1`), `space` (the id of the folder it belongs
to), `written_by`, and three JSON lists of length k: `keys`, `summary_checksums` (CRC-32 of key,
squared norm and channel means, in that order, as stored) and `checksums` (the same CRC-32 carried
on over the latent). The key is part of both, so that a row cannot pass under another key.

Read with ordinary reads, never through a map: a file that someone cuts short must not kill us.
Only the rest of this room may import it.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import uuid4
from zlib import crc32

from latmix.disk import Buffer, parse_json, write_durably

FORMAT = "latmix-latents-1"
ROWS = 256
BYTES = 2**26
SHARD_NAME = re.compile(r"[0-9a-f]{32}\.safetensors")
LONGEST_HEADER = 100_000_000

Shape = tuple[int, int, int]


def full_shard(shape: Shape) -> int:
    """Latents that one shard is to hold: 256, or fewer where those are more than 64 MB."""
    return min(ROWS, max(1, BYTES // row_bytes(shape)[2]))


class ShardDamaged(ValueError):
    """The file is a shard no longer: its header cannot be believed."""


class ShardForeign(Exception):
    """The file is sound, as far as one can tell, but does not belong here."""


@dataclass(frozen=True, slots=True)
class Row:
    """One latent as it lies on disk (little-endian).

    `summary` is the squared norm and the C channel means (float64), `latent` C*H*W float32.
    """

    key: str
    summary: Buffer
    latent: Buffer


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """What the header of a shard says; `starts` are the tensors' first bytes, in the table's order.

    `whole` is how many rows lie in the file in full: all, unless the file was cut short. `sound`
    are the rows whose latents this process has checked, by the time and size of the file then.
    """

    path: Path
    shape: Shape
    keys: tuple[str, ...]
    summary_checksums: tuple[int, ...]
    checksums: tuple[int, ...]
    starts: tuple[int, int, int]
    whole: int
    size: int
    modified: float
    sound: dict[tuple[int, int], set[int]] = field(default_factory=dict)


def write_shard(space: Path, rows: Sequence[Row], shape: Shape, *, dry_run: bool = False) -> Shard:
    """Writes `rows` durably as a new shard of the folder `space`.

    Args:
        dry_run: write nothing, only say what the shard would be.

    Raises:
        StoreError: the system refused; nothing is left behind.
    """
    keys = [row.key for row in rows]
    summaries = [crc32(row.summary, crc32(key_bytes(row.key))) for row in rows]
    checksums = [crc32(row.latent, start) for row, start in zip(rows, summaries, strict=True)]
    lists = zip(_LISTS, map(json.dumps, (keys, summaries, checksums)), strict=True)
    notes = {"format": FORMAT, "space": space.name, "written_by": _version(), **dict(lists)}
    tensors = _tensors(len(rows), shape)
    text = json.dumps({"__metadata__": notes, **tensors}, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)  # so that float64 is aligned
    norms, means = [row.summary[:8] for row in rows], [row.summary[8:] for row in rows]
    latents = [row.latent for row in rows]
    parts = [struct.pack("<Q", len(text)), text, *norms, *means, *latents]
    shard = Shard(
        path=space / "shards" / f"{uuid4().hex}.safetensors",
        shape=shape,
        keys=tuple(keys),
        summary_checksums=tuple(summaries),
        checksums=tuple(checksums),
        starts=_starts(tensors, 8 + len(text)),
        whole=len(rows),
        size=sum(map(len, parts)),
        modified=time.time(),
    )
    if not dry_run:
        write_durably(shard.path, parts, tmp=space / "tmp")
    return shard


def scan_shard(path: Path, space: str) -> Shard:
    """What is in the shard at `path`, from its header alone.

    Raises:
        ShardForeign: it is of another format or another space than `space`.
        ShardDamaged: its header cannot be believed.
        OSError: the system could not read it.
    """
    with path.open("rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        length = int.from_bytes(read_at(file, 0, 8), "little")
        if not 2 <= length <= min(LONGEST_HEADER, status.st_size - 8):
            raise ShardDamaged("the length of the header is impossible")
        text = read_at(file, 8, length)
    try:
        header = parse_json(text)
        notes = header["__metadata__"]
        if notes["format"] != FORMAT or notes["space"] != space:
            raise ShardForeign("it is of another format or another space")
        lists = [parse_json(notes[name]) for name in _LISTS]
        tensors = {name: header[name] for name in _TENSORS}
        _, channels, height, width = header["latents"]["shape"]
        counts = [len(part) for part in lists]
    except (ValueError, KeyError, TypeError) as error:
        raise ShardDamaged("the header is garbled") from error
    shape: Shape = (channels, height, width)
    agree = (
        min(counts) == max(counts) > 0
        and all(isinstance(key, str) and key for key in lists[0])
        and all(type(size) is int and size > 0 for size in shape)
        and tensors == _tensors(counts[0], shape)
    )
    if not agree:
        raise ShardDamaged("the parts of the header contradict one another")
    starts, sizes = _starts(tensors, 8 + length), row_bytes(shape)
    held = ((status.st_size - start) // size for start, size in zip(starts, sizes, strict=True))
    whole = max(0, min(counts[0], *held))
    keys, summaries, checksums = map(tuple, lists)
    size, modified = status.st_size, status.st_mtime
    return Shard(path, shape, keys, summaries, checksums, starts, whole, size, modified)


def _tensors(count: int, shape: Shape) -> dict[str, dict[str, object]]:
    """What the header says of the tensors: they follow one another, in the table's order."""
    tensors: dict[str, dict[str, object]] = {}
    end = 0
    sizes = zip(_TENSORS.items(), ((), shape[:1], shape), row_bytes(shape), strict=True)
    for (name, kind), tail, size in sizes:
        start, end = end, end + count * size
        tensors[name] = {"dtype": kind, "shape": [count, *tail], "data_offsets": [start, end]}
    return tensors


def row_bytes(shape: Shape) -> tuple[int, int, int]:
    """Bytes that a row takes in each tensor."""
    return 8, 8 * shape[0], 4 * math.prod(shape)


def _starts(tensors: Mapping[str, Any], base: int) -> tuple[int, int, int]:
    """The first byte in the file of each tensor, where they follow a header of `base` bytes."""
    norms, means, latents = (base + tensors[name]["data_offsets"][0] for name in _TENSORS)
    return norms, means, latents


def read_at(file: Any, start: int, size: int) -> bytearray:
    """Up to `size` bytes from `start` on; fewer only at the end of the file."""
    buffer = bytearray(size)
    with memoryview(buffer) as view:
        filled = fill(file, start, view)
    del buffer[filled:]
    return buffer


def fill(file: Any, start: int, view: memoryview) -> int:
    """Read into a buffer from `start` on; how many bytes there were."""
    filled = 0
    file.seek(start)
    while filled < len(view) and (count := file.readinto(view[filled:])):
        filled += count
    return filled


def key_bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


@cache
def _version() -> str:
    try:
        return f"latmix {metadata.version('latmix')}"
    except metadata.PackageNotFoundError:  # run from a checkout that was not installed
        return "latmix"


_LISTS = ("keys", "summary_checksums", "checksums")
_TENSORS = {"squared_norm": "F64", "channel_mean": "F64", "latents": "F32"}
