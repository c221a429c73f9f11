"""Pictures from strangers are read rightly, whatever their kind. Every file is made by code."""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from latmix.images.files import content_hash, read_sidecar
from latmix.images.pictures import FORMATS, read_picture
from latmix.images.pixels import to_rgb
from latmix.images.png import read_text, write_png
from tests.support.picture_files import (
    BLACK,
    BLUE,
    GREEN,
    RED,
    WHITE,
    chunk,
    clear_and,
    distance,
    encoded,
    grey_profile,
    pixel,
    pixels,
    png,
    refusal,
    stored,
    swapped_profile,
    tiff,
)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read_as_rgb_without_metadata(tmp_path: Path, kind: str) -> None:
    picture = read_picture(stored(tmp_path, encoded(Image.new("RGB", (20, 10), RED), kind)))
    assert (picture.mode, picture.size, picture.info) == ("RGB", (20, 10), {})
    assert distance(pixel(picture, 10, 5), RED) < 5


def test_the_suffix_does_not_matter(tmp_path: Path) -> None:
    data = encoded(Image.new("RGB", (2, 2), RED), "PNG")
    assert read_picture(stored(tmp_path, data, "wrong.jpg")).getpixel((0, 0)) == RED


def sides(orientation: int) -> tuple[str, str]:
    """Where the first row and the first column of the stored picture are (EXIF 2.3, 4.6.4)."""
    rows = ["top", "top", "bottom", "bottom", "left", "right", "right", "left"]
    columns = ["left", "right", "right", "left", "top", "top", "bottom", "bottom"]
    return rows[orientation - 1], columns[orientation - 1]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(tmp_path: Path, orientation: int, kind: str) -> None:
    width, height, block = 3, 2, 8  # blocks of pixels, so that JPEG keeps them apart
    upright = {(x, y): (80 * x, 120 * y, 40 * x) for x in range(width) for y in range(height)}
    row_side, column_side = sides(orientation)
    size = (height, width) if row_side in ("left", "right") else (width, height)
    image = Image.new("RGB", size)
    for column in range(size[0]):
        for row in range(size[1]):
            along = {row_side: row, column_side: column}  # how far from which side
            x = along["left"] if "left" in along else width - 1 - along["right"]
            y = along["top"] if "top" in along else height - 1 - along["bottom"]
            image.putpixel((column, row), upright[x, y])
    exif = Image.Exif()
    exif[274] = orientation
    options: dict[str, Any] = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 100, "subsampling": 0},
    }
    large = image.resize((size[0] * block, size[1] * block), Image.Resampling.NEAREST)
    data = encoded(large, kind, exif=exif, **options.get(kind, {}))
    picture = read_picture(stored(tmp_path, data))
    assert picture.size == (width * block, height * block)
    for (x, y), colour in upright.items():
        got = pixel(picture, x * block + block // 2, y * block + block // 2)
        assert distance(got, colour) <= 4


def test_an_orientation_that_does_not_exist_is_ignored(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 77
    data = encoded(Image.new("RGB", (3, 2), RED), "PNG", exif=exif)
    assert read_picture(stored(tmp_path, data)).size == (3, 2)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (clear_and(RED, "RGBA"), [WHITE, (255, 127, 127), RED]),
        (clear_and((0,), "LA"), [WHITE, (127, 127, 127), BLACK]),
    ],
)
def test_transparent_pictures_lie_on_the_background(
    tmp_path: Path, image: Image.Image, expected: list[object]
) -> None:
    path = stored(tmp_path, encoded(image, "PNG"))
    assert pixels(read_picture(path)) == expected
    assert read_picture(path, background=BLUE).getpixel((0, 0)) == BLUE


def test_every_kind_of_declared_transparency_is_seen(tmp_path: Path) -> None:
    palette = chunk(b"PLTE", bytes((*RED, *GREEN)))
    two_rows = {
        "palette, one alpha": png(2, 1, 8, 3, b"\0\0\1", palette, chunk(b"tRNS", b"\0")),
        "palette, two": png(2, 1, 8, 3, b"\0\0\1", palette, chunk(b"tRNS", b"\0\xff")),
        "RGB": png(2, 1, 8, 2, bytes((0, *RED, *GREEN)), chunk(b"tRNS", b"\0\xff\0\0\0\0")),
        "RGB of 16 bits": png(
            2, 1, 16, 2, b"\0\xff\xff\0\0\0\0\0\0\xff\xff\0\0",
            chunk(b"tRNS", b"\xff\xff\0\0\0\0"),
        ),
    }  # fmt: skip
    for name, data in two_rows.items():
        got = read_picture(stored(tmp_path, data), background=BLUE)
        assert pixels(got) == [BLUE, GREEN], name
    greys = {
        "1 bit": (1, b"\0\x40", b"\0\1", (BLACK, BLUE)),
        "2 bits": (2, b"\0\x60", b"\0\1", (BLUE, (170,) * 3)),
        "4 bits": (4, b"\0\x3c", b"\0\3", (BLUE, (204,) * 3)),
        "8 bits": (8, b"\0\x03\x99", b"\0\3", (BLUE, (153,) * 3)),
        "16 bits": (16, b"\0\x75\x30\x75\xff", b"\x75\x30", (BLUE, (118,) * 3)),
    }
    for name, (bits, row, clear, expected) in greys.items():
        data = png(2, 1, bits, 0, row, chunk(b"tRNS", clear))
        got = read_picture(stored(tmp_path, data), background=BLUE)
        assert tuple(pixels(got)) == expected, name


def test_a_transparent_gif_lies_on_the_background(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1), 1)
    image.putpalette([*RED, *GREEN])
    image.putpixel((0, 0), 0)
    data = encoded(image, "GIF", transparency=0)
    assert pixels(read_picture(stored(tmp_path, data))) == [WHITE, GREEN]


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path) -> None:
    image = Image.new("I;16", (1, 1), 30_000)
    for kind in ("PNG", "TIFF"):
        assert pixels(read_picture(stored(tmp_path, encoded(image, kind)))) == [(117, 117, 117)]
    for value, grey in ((0, 0), (128, 0), (129, 1), (65_535, 255)):
        assert pixels(to_rgb(Image.new("I;16B", (1, 1), value))) == [(grey,) * 3]


def test_the_declared_range_of_a_tiff_is_kept(tmp_path: Path) -> None:
    twelve = tiff(2, 12, 1, b"\xff\xf8\x00")
    assert pixels(read_picture(stored(tmp_path, twelve))) == [WHITE, (128,) * 3]
    white_is_zero = tiff(2, 16, 0, struct.pack("<2H", 0, 65_535))
    assert pixels(read_picture(stored(tmp_path, white_is_zero))) == [WHITE, BLACK]


@pytest.mark.parametrize(
    ("mode", "values", "greys"),
    [
        ("F", [0.0, 0.5, 1.0], [0, 128, 255]),
        ("F", [0.0, 100.0, 255.0], [0, 100, 255]),
        ("F", [0.0, 30_000.0, 65_535.0], [0, 117, 255]),
        ("F", [-1.0, 0.0, 1.0], [0, 128, 255]),
        ("F", [-3e38, 0.0, 3e38], [0, 128, 255]),
        ("F", [-5.0, -5.0, -5.0], [0, 0, 0]),
        ("I", [0, 1, 255], [0, 1, 255]),
        ("I", [0, 30_000, 65_535], [0, 117, 255]),
        ("I", [-(2**31), 0, 2**31 - 1], [0, 128, 255]),
    ],
)
def test_grey_of_32_bits_is_scaled_from_the_range_it_must_have(
    tmp_path: Path, mode: str, values: list[float], greys: list[int]
) -> None:
    image = Image.new(mode, (3, 1))
    for x, value in enumerate(values):
        image.putpixel((x, 0), value)
    got = read_picture(stored(tmp_path, encoded(image, "TIFF")))
    assert pixels(got) == [(grey, grey, grey) for grey in greys]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_floats_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    path = stored(tmp_path, encoded(Image.new("F", (2, 2), value), "TIFF"))
    assert "holds values that are infinite or not numbers" in refusal(path)


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", RED),
        (Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "TIFF", RED),
        (Image.new("YCbCr", (16, 16), (76, 85, 255)), "JPEG", RED),
        (Image.new("LAB", (16, 16), (255, 128, 128)), "TIFF", WHITE),
        (Image.new("1", (16, 16), 1), "PNG", WHITE),
        (Image.new("L", (16, 16), 0), "PNG", BLACK),
    ],
)
def test_other_colour_spaces_become_rgb(
    tmp_path: Path, image: Image.Image, kind: str, expected: tuple[int, int, int]
) -> None:
    picture = read_picture(stored(tmp_path, encoded(image, kind)))
    assert distance(pixel(picture, 8, 8), expected) <= 3


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF", "TIFF", "MPO"])
def test_of_several_frames_the_first_is_read(tmp_path: Path, kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, GREEN, BLUE)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert distance(pixel(read_picture(stored(tmp_path, data)), 8, 8), RED) < 5


def test_a_colour_profile_is_applied_and_not_passed_on(tmp_path: Path) -> None:
    data = encoded(Image.new("RGB", (2, 2), RED), "PNG", icc_profile=swapped_profile())
    picture = read_picture(stored(tmp_path, data))
    assert distance(pixel(picture, 0, 0), GREEN) < 5
    write_png(picture, tmp_path / "again.png")
    assert read_picture(tmp_path / "again.png").getpixel((0, 0)) == picture.getpixel((0, 0))


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_is_applied_with_and_without_alpha(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (1, 1), (55, 255) if mode == "LA" else 55)
    path = stored(tmp_path, encoded(image, "PNG", icc_profile=grey_profile(1.0)))
    assert pixels(read_picture(path)) == [(128, 128, 128)]  # linear light 0.216


@pytest.mark.parametrize(
    "profile",
    [b"junk", swapped_profile()[:200], grey_profile(1.0)],
    ids=["junk", "cut short", "of another mode"],
)
def test_a_broken_or_foreign_profile_is_ignored(tmp_path: Path, profile: bytes) -> None:
    data = encoded(Image.new("RGB", (2, 2), RED), "PNG", icc_profile=profile)
    assert read_picture(stored(tmp_path, data)).getpixel((0, 0)) == RED


@pytest.mark.parametrize(
    "name",
    [b"a b.png", b"a\nb.png", b"\x1b[2J.png", b"[red]x[bold].png", b"caf\xe9.png", b"-rf.png",
     b"n" * 251 + b".png"],
    ids=["space", "newline", "escape", "markup", "latin-1", "dash", "255 bytes"],
)  # fmt: skip
def test_a_picture_of_any_name_is_read_hashed_and_written(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    write_png(Image.new("RGB", (2, 2), RED), path, {"a": "b"})
    assert read_picture(path).getpixel((0, 0)) == RED
    assert read_text(path) == {"a": "b"}
    assert len(content_hash(path)) == 64
    assert read_sidecar(path) is None
    path.write_bytes(b"")
    shown = refusal(path)
    assert "\x1b" not in shown and shown.encode("utf-8")
