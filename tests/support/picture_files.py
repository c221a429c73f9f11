"""Files of pictures, sound and bad ones, made by code; and what tests ask of what was read."""

from __future__ import annotations

import io
import os
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from latmix.errors import PictureError
from latmix.images.pictures import read_picture

RED, GREEN, BLUE, BLACK, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG by hand: `colour` 0 is grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(rows, 9))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def tiff(width: int, bits: int, photometric: int, data: bytes) -> bytes:
    """A TIFF of one row of grey by hand."""
    tags = [(256, width), (257, 1), (258, bits), (259, 1), (262, photometric), (273, 0)]
    tags += [(277, 1), (278, 1), (279, len(data))]
    start = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(
        struct.pack("<HHII", tag, 4, 1, start if tag == 273 else value) for tag, value in tags
    )
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


def grey_profile(gamma: float) -> bytes:
    """The smallest ICC profile for grey."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061)
    start = 128 + 4 + 2 * 12
    table = struct.pack(">I4sII", 2, b"kTRC", start, len(curve))
    table += struct.pack(">4sII", b"wtpt", start + len(curve), len(white))
    head = struct.pack(">I4sI", start + len(curve) + len(white), bytes(4), 0x02400000)
    head += b"mntrGRAYXYZ " + bytes(12) + b"acsp" + bytes(28)
    head += struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + curve + white


def swapped_profile() -> bytes:
    """A sound RGB profile in which red means green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


def noise(size: tuple[int, int] = (48, 32)) -> Image.Image:
    return Image.merge("RGB", [Image.effect_noise(size, spread) for spread in (40, 60, 80)])


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def stored(folder: Path, data: bytes, name: str = "picture") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def clear_and(colour: tuple[int, ...], mode: str) -> Image.Image:
    """One transparent pixel, one half transparent, one solid."""
    image = Image.new(mode, (3, 1))
    for x, alpha in enumerate((0, 128, 255)):
        image.putpixel((x, 0), (*colour, alpha))
    return image


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = image.getpixel((x, y))
    assert isinstance(value, tuple)
    return value


def pixels(image: Image.Image) -> list[tuple[int, ...]]:
    return [pixel(image, x, y) for y in range(image.height) for x in range(image.width)]


def distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def refusal(path: Path) -> str:
    with pytest.raises(PictureError) as caught:
        read_picture(path)
    assert "\n" not in caught.value.message
    return caught.value.message


@contextmanager
def bound_by_permissions() -> Iterator[Path]:
    """An empty folder, and an account that permissions bind: root, whom none do, steps down."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield folder
            folder.chmod(0o700)
            return
        folder.chmod(0o777)
        os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(0)
