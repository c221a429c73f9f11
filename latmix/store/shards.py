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
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import uuid4
from zlib import crc32

from latmix.disk import Buffer, write_durably

FORMAT = "latmix-latents-1"
ROWS = 256
BYTES = 2**26
SHARD_NAME = re.compile(r"[0-9a-f]{32}\.safetensors")
LONGEST_HEADER = 100_000_000

Shape = tuple[int, int, int]


def full_shard(shape: Shape) -> int:
    """Latents that one shard is to hold: 256, or fewer where those are more than 64 MB."""
    return min(ROWS, max(1, BYTES // (math.prod(shape) * 4)))


class ShardDamaged(ValueError):
    """The file is a shard no longer: its header cannot be believed."""


class ShardForeign(ValueError):
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


def write_shard(space: Path, rows: Sequence[Row], shape: Shape) -> Shard:
    """Writes `rows` durably as a new shard of the folder `space`.

    Raises:
        StoreError: the system refused; nothing is left behind.
    """
    shard, header = plan_shard(space, rows, shape)
    norms, means = [row.summary[:8] for row in rows], [row.summary[8:] for row in rows]
    latents = [row.latent for row in rows]
    write_durably(shard.path, [header, *norms, *means, *latents], tmp=space / "tmp")
    return shard


def plan_shard(space: Path, rows: Sequence[Row], shape: Shape) -> tuple[Shard, bytes]:
    """The shard that `write_shard` would write, and its header; nothing is written."""
    keys = [row.key for row in rows]
    summaries = [crc32(row.summary, crc32(key_bytes(row.key))) for row in rows]
    checksums = [crc32(row.latent, start) for row, start in zip(rows, summaries, strict=True)]
    lists = {
        name: json.dumps(part)
        for name, part in zip(_LISTS, (keys, summaries, checksums), strict=True)
    }
    notes = {"format": FORMAT, "space": space.name, "written_by": _version(), **lists}
    header, starts = _header(len(rows), shape, notes)
    shard = Shard(
        path=space / "shards" / f"{uuid4().hex}.safetensors",
        shape=shape,
        keys=tuple(keys),
        summary_checksums=tuple(summaries),
        checksums=tuple(checksums),
        starts=starts,
        whole=len(rows),
        size=len(header) + sum(len(row.summary) + len(row.latent) for row in rows),
        modified=time.time(),
    )
    return shard, header


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
        header = json.loads(text)
        notes = header["__metadata__"]
        foreign = notes["format"] != FORMAT or notes["space"] != space
        if not foreign:
            lists = [list(json.loads(notes[name])) for name in _LISTS]
            tensors = [_extent(header[name], *kind) for name, kind in _TENSORS.items()]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ShardDamaged("the header is garbled") from error
    if foreign:
        raise ShardForeign("it is of another format or another space")
    return _believed(path, lists, tensors, 8 + length, status)


def _believed(
    path: Path,
    lists: list[list[Any]],
    tensors: list[tuple[int, list[int]]],
    base: int,
    status: os.stat_result,
) -> Shard:
    """The shard, if the parts of its header agree with one another."""
    keys, summary_checksums, checksums = lists
    (norms, norm_shape), (means, mean_shape), (latents, shape) = tensors
    count = len(keys)
    agree = (
        all(len(part) == count for part in lists)
        and all(isinstance(key, str) and key for key in keys)
        and norm_shape == [count]
        and mean_shape == [count, shape[1]]
        and shape[0] == count
    )
    if not agree:
        raise ShardDamaged("the parts of the header contradict one another")
    row = math.prod(shape[1:]) * 4
    whole = min(
        (status.st_size - base - norms) // 8,
        (status.st_size - base - means) // (8 * shape[1]),
        (status.st_size - base - latents) // row,
    )
    return Shard(
        path,
        (shape[1], shape[2], shape[3]),
        tuple(keys),
        tuple(summary_checksums),
        tuple(checksums),
        (base + norms, base + means, base + latents),
        max(0, min(count, whole)),
        status.st_size,
        status.st_mtime,
    )


def _header(count: int, shape: Shape, notes: dict[str, str]) -> tuple[bytes, tuple[int, int, int]]:
    """What safetensors puts first, padded so that float64 is aligned, and where tensors start."""
    header: dict[str, object] = {"__metadata__": notes}
    ends = [0]
    tails = ((), shape[:1], shape)
    for (name, (kind, width, _)), tail in zip(_TENSORS.items(), tails, strict=True):
        ends.append(ends[-1] + count * math.prod(tail) * width)
        header[name] = {"dtype": kind, "shape": [count, *tail], "data_offsets": ends[-2:]}
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    base = 8 + len(text)
    return struct.pack("<Q", len(text)) + text, (base, base + ends[1], base + ends[2])


def _extent(entry: Any, kind: str, width: int, axes: int) -> tuple[int, list[int]]:
    """Where a tensor starts, and its shape; ValueError if the header's entry is not possible."""
    start, end = entry["data_offsets"]
    shape = entry["shape"]
    numbers = [start, end, *shape]
    possible = (
        all(type(number) is int and number >= 0 for number in numbers)
        and entry["dtype"] == kind
        and len(shape) == axes
        and min(shape) > 0
        and end - start == math.prod(shape) * width
    )
    if not possible:
        raise ValueError("impossible tensor")
    return start, shape


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
_TENSORS = {"squared_norm": ("F64", 8, 1), "channel_mean": ("F64", 8, 2), "latents": ("F32", 4, 4)}
