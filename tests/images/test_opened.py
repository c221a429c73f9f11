"""A picture that Pillow has opened is read as its file is."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from latmix.errors import PictureError
from latmix.images.pictures import read_picture
from tests.support.picture_files import (
    BLUE,
    GREEN,
    RED,
    chunk,
    clear_and,
    encoded,
    grey_profile,
    noise,
    png,
    stored,
    swapped_profile,
    tiff,
)


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = orientation
    return exif


def floats() -> Image.Image:
    image = Image.new("F", (3, 1))
    image.putdata([0.0, 0.25, 1.0])
    return image


PALETTE = chunk(b"PLTE", bytes((*RED, *GREEN)))
FILES = {
    "RGB": encoded(noise(), "PNG"),
    "RGBA": encoded(clear_and(RED, "RGBA"), "PNG"),
    "LA": encoded(clear_and((0,), "LA"), "PNG"),
    "16 bits": encoded(Image.new("I;16", (2, 1), 30_000), "PNG"),
    "12 bits": tiff(2, 12, 1, b"\xff\xf8\x00"),
    "float": encoded(floats(), "TIFF"),
    "CMYK": encoded(Image.new("CMYK", (16, 16), (0, 255, 200, 40)), "JPEG"),
    "LAB": encoded(Image.new("LAB", (16, 16), (200, 100, 128)), "TIFF"),
    "palette": png(2, 1, 8, 3, b"\0\0\1", PALETTE, chunk(b"tRNS", b"\0")),
    "turned PNG": encoded(noise(), "PNG", exif=turned(6)),
    "turned JPEG": encoded(noise(), "JPEG", exif=turned(5)),
    "turned TIFF": encoded(noise(), "TIFF", exif=turned(8)),
    "profile": encoded(noise(), "PNG", icc_profile=swapped_profile()),
    "grey profile": encoded(
        Image.new("LA", (1, 1), (55, 99)), "PNG", icc_profile=grey_profile(1.0)
    ),
}
UNDECODED = {
    "clear level of 2 bits": png(2, 1, 2, 0, b"\0\x60", chunk(b"tRNS", b"\0\1")),
    "clear colour of 16 bits": png(
        *(2, 1, 16, 2, b"\0\xff\xff\0\0\0\0\0\0\xff\xff\0\0"),
        chunk(b"tRNS", b"\xff\xff\0\0\0\0"),
    ),
}
"""Pillow forgets what their pixels were once it has decoded them."""


@pytest.mark.parametrize("data", (FILES | UNDECODED).values(), ids=FILES | UNDECODED)
def test_an_opened_picture_is_read_as_its_file_is(tmp_path: Path, data: bytes) -> None:
    path = stored(tmp_path, data)
    expected = read_picture(path, background=BLUE)
    with Image.open(path) as image:
        for _ in range(2):
            found = read_picture(image, background=BLUE)
            assert (found.mode, found.size, found.info) == ("RGB", expected.size, {})
            assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_so_is_one_that_is_decoded_already(tmp_path: Path, data: bytes) -> None:
    path = stored(tmp_path, data)
    image = Image.open(path)
    image.load()
    assert read_picture(image).tobytes() == read_picture(path).tobytes()


def test_the_limit_of_pixels_is_that_of_files(tmp_path: Path) -> None:
    path = stored(tmp_path, png(8_000, 8_000, 1, 0, bytes(1_001 * 8_000)))
    with pytest.raises(PictureError) as of_file:
        read_picture(path)
    with Image.open(path) as image, pytest.raises(PictureError) as of_picture:
        read_picture(image)
    assert str(of_picture.value) == str(of_file.value)
    assert "8000 x 8000 is more than 50,000,000 pixels" in str(of_file.value)
    assert read_picture(Image.new("RGB", (10, 10)), max_pixels=100).size == (10, 10)
    with pytest.raises(PictureError, match="the picture is too large: 10 x 10 is more than 99"):
        read_picture(Image.new("RGB", (10, 10)), max_pixels=99)


def test_a_closed_picture_is_said_to_be_closed_unless_its_pixels_are_there(tmp_path: Path) -> None:
    path = stored(tmp_path, encoded(noise(), "PNG"))
    closed = Image.open(path)
    closed.close()
    with Image.open(path) as left:
        pass
    with path.open("rb") as file:
        of_file = Image.open(file)
    for image in (closed, left):
        with pytest.raises(PictureError, match="picture was closed before its pixels were read"):
            read_picture(image)
    made = Image.new("RGB", (2, 2))
    made.close()
    for image in (of_file, made):
        with pytest.raises(PictureError, match="the picture was closed"):
            read_picture(image)
    with Image.open(path) as loaded:
        loaded.load()
    assert read_picture(loaded).tobytes() == read_picture(path).tobytes()


def test_an_opened_picture_that_cannot_be_used_is_refused_like_its_file(tmp_path: Path) -> None:
    for data in (
        encoded(noise(), "PNG")[:200],
        encoded(noise(), "JPEG")[:700],
        encoded(Image.new("F", (2, 2), float("nan")), "TIFF"),
    ):
        path = stored(tmp_path, data)
        with pytest.raises(PictureError) as of_file:
            read_picture(path)
        with pytest.raises(PictureError) as of_picture:
            read_picture(Image.open(path))
        assert str(of_picture.value) == str(of_file.value)
    with pytest.raises(PictureError, match="the picture holds values that are infinite"):
        read_picture(Image.new("F", (2, 2), float("inf")))
