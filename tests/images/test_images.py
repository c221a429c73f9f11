"""Pictures from strangers: found in the order a person expects, read rightly or refused plainly.

Every bad file is made here, by code, in a temporary folder.
"""

from __future__ import annotations

import errno
import io
import math
import os
import resource
import socket
import stat
import struct
import tempfile
import threading
import time
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile

from latmix.errors import LatmixError, PictureError
from latmix.images import (
    FITS,
    FORMATS,
    MADE_HERE,
    SUFFIXES,
    content_hash,
    find_pictures,
    fit_picture,
    natural_key,
    origin,
    read_picture,
    read_sidecar,
    read_text,
    to_rgb,
    write_png,
)
from latmix.images.files import failure

RED, GREEN, BLUE, BLACK, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)


# Makers of files ----------------------------------------------------------------------------


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


# Finding ------------------------------------------------------------------------------------


def test_a_folder_gives_its_pictures_in_natural_order(tmp_path: Path) -> None:
    names = ["2.png", "10.PNG", "a (2).jpg", "A (10).JPEG", "b.webp", "c.bmp", "d.gif", "e.tif"]
    names += ["f.tiff", "g.avif"]
    for name in [*reversed(names), "notes.txt", ".hidden.png", "png", "model.safetensors"]:
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in find_pictures([tmp_path])] == names


def test_natural_order_is_the_same_whatever_order_the_system_lists() -> None:
    names = ["a.png", "A.png", "a.PNG", "a1.png", "a01.png", "a1.jpg", "a 1.png", "1", "", "\udce9"]
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


def test_named_files_keep_their_order_whatever_their_suffix(tmp_path: Path) -> None:
    paths = [stored(tmp_path, b"", name) for name in ("z.png", "a.data", "-m.png", "[b].png")]
    assert find_pictures(paths) == paths
    assert find_pictures(str(path) for path in paths) == paths


def test_a_single_name_is_not_taken_for_its_letters(tmp_path: Path) -> None:
    path = stored(tmp_path, b"", "a.png")
    assert find_pictures(str(path)) == [path]


def test_the_same_path_named_twice_appears_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    one, two = stored(tmp_path, b"", "1.png"), stored(tmp_path, b"", "2.png")
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = find_pictures([two, "2.png", "./sub/../1.png", tmp_path, "link"])
    assert [path.resolve() for path in found] == [two, one]
    assert found[0] == two


def test_two_links_to_one_picture_are_two_pictures(tmp_path: Path) -> None:
    one = stored(tmp_path, b"", "1.png")
    (tmp_path / "2.png").symlink_to(one)
    assert len(find_pictures([tmp_path])) == 2


def test_recursing_takes_each_folder_before_its_subfolders(tmp_path: Path) -> None:
    names = ["z.png", "2/1.png", "2/a/1.png", "10/1.png"]
    for name in [*names, ".git/1.png"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_pictures([tmp_path], recursive=True) == [tmp_path / name for name in names]
    assert find_pictures([tmp_path]) == [tmp_path / "z.png"]


def test_links_to_folders_are_followed_only_when_named(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    stored(inside, b"", "1.png")
    (inside / "loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(inside)
    (inside / "nowhere.png").symlink_to(tmp_path / "missing")
    (inside / "circle.png").symlink_to(inside / "circle.png")
    assert find_pictures([tmp_path], recursive=True) == [inside / "1.png"]
    assert find_pictures([tmp_path / "again"]) == [tmp_path / "again" / "1.png"]


def test_names_of_any_bytes_are_found(tmp_path: Path) -> None:
    names = [b"a b.png", b"a\nb.png", b"\x1b[2J.png", b"[red].png", b"caf\xe9.png", b"-x.png"]
    names.append(b"n" * 251 + b".png")
    for name in names:
        (tmp_path / os.fsdecode(name)).touch()
    assert {os.fsencode(path.name) for path in find_pictures([tmp_path])} == set(names)


def test_ten_thousand_files_are_found_in_a_moment(tmp_path: Path) -> None:
    for number in range(10_000):
        os.close(os.open(tmp_path / f"photo ({number}).jpg", os.O_CREAT))
    started = time.perf_counter()
    found = find_pictures([tmp_path])
    assert time.perf_counter() - started < 2.0
    assert [path.stem for path in found] == [f"photo ({number})" for number in range(10_000)]


def test_nothing_named_is_nothing_found() -> None:
    assert find_pictures([]) == []


@pytest.mark.timeout(10)
def test_paths_that_are_no_pictures_are_refused_in_a_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    stored(tmp_path, b"", "file.png")
    (tmp_path / "empty").mkdir()
    expected = {
        "missing\x1b[2J.png": r"missing\x1b[2J.png: there is no such file or folder.",
        "pipe.png": "pipe.png is a pipe, not a file.",
        "circle": "circle: it is a link that leads back to itself.",
        "file.png/more": "a part of its path is a file, not a folder.",
        "n" * 256: "its name is too long.",
        "nul\0.png": r"nul\x00.png: no file can have that name.",
        "empty": "There are no pictures in",
    }
    for name, message in expected.items():
        with pytest.raises(LatmixError) as caught:
            find_pictures([tmp_path / name])
        assert message in caught.value.message
        assert caught.value.hint
    with pytest.raises(LatmixError, match="name of a picture or folder is empty"):
        find_pictures([""])
    with pytest.raises(LatmixError, match="is a device"):
        find_pictures(["/dev/null"])


def test_a_folder_without_pictures_says_what_was_looked_for_or_where_they_are(
    tmp_path: Path,
) -> None:
    stored(tmp_path, b"", "notes.txt")
    with pytest.raises(LatmixError) as caught:
        find_pictures([tmp_path])
    assert all(suffix in caught.value.hint for suffix in SUFFIXES)
    for name in ("cats", "cats/young"):
        (tmp_path / name).mkdir()
        stored(tmp_path / name, b"", "1.png")
    with pytest.raises(LatmixError, match="subfolders hold 2 pictures: pass --recursive"):
        find_pictures([tmp_path])


def test_a_folder_that_may_not_be_listed_is_named() -> None:
    with bound_by_permissions() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o000)
        for given_path, recursive in ((closed, False), (folder, True)):
            with pytest.raises(LatmixError, match="closed: permission denied"):
                find_pictures([given_path], recursive=recursive)
        with pytest.raises(LatmixError, match="There are no pictures in"):
            find_pictures([folder])
        closed.chmod(0o700)


# Reading what is sound ----------------------------------------------------------------------


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


def clear_and(colour: tuple[int, ...], mode: str) -> Image.Image:
    """One transparent pixel, one half transparent, one solid."""
    image = Image.new(mode, (3, 1))
    for x, alpha in enumerate((0, 128, 255)):
        image.putpixel((x, 0), (*colour, alpha))
    return image


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


# Reading what is not ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_that_is_cut_short_is_refused(tmp_path: Path, kind: str) -> None:
    data = encoded(noise(), kind)
    for part in (0.2, 0.5, 0.9):
        path = stored(tmp_path, data[: int(len(data) * part)], "cut.x")
        assert refusal(path) == f"{path} is damaged or cut short."


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty (0 bytes)."),
        (b"Not Found\n", "it holds text."),
        ("<html>é</html>".encode(), "it holds text."),
        (b"%PDF-1.7\n\xe2", "it holds a PDF document."),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "it holds a HEIC picture."),
        (bytes(range(256)), "it holds something else."),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "it holds text."),
        (b"\x89PNG\r\n\x1a\n", "is damaged or cut short."),
    ],
)
def test_a_file_that_is_no_picture_says_what_it_is(tmp_path: Path, data: bytes, what: str) -> None:
    assert refusal(stored(tmp_path, data, "a.png")).endswith(what)


@pytest.mark.timeout(10)
def test_paths_that_cannot_be_read_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    expected = {
        tmp_path / "pipe": "is a pipe, not a file.",
        tmp_path / "socket": "is a socket, not a file.",
        tmp_path: "is a folder, not a file.",
        Path("/dev/zero"): "is a device, not a file.",
        tmp_path / "circle": "it is a link that leads back to itself.",
        tmp_path / "missing": "there is no such file or folder.",
        tmp_path / "nul\0": "no file can have that name.",
        tmp_path / ("n" * 256): "its name is too long.",
    }
    for path, message in expected.items():
        assert refusal(path).endswith(message)
        for function in (content_hash, read_text):
            with pytest.raises(PictureError):
                function(path)


def test_a_picture_that_may_not_be_read_is_refused() -> None:
    with bound_by_permissions() as folder:
        path = stored(folder, encoded(noise(), "PNG"))
        path.chmod(0o000)
        assert refusal(path).endswith("permission denied.")
        with pytest.raises(PictureError, match="permission denied"):
            content_hash(path)


@pytest.mark.parametrize(
    ("width", "height", "row"),
    [(60_000, 60_000, 0), (9_400, 9_400, 1_176), (9_500, 9_500, 1_189), (13_000, 13_000, 0)],
)
def test_a_huge_picture_is_refused_before_it_is_decoded(
    tmp_path: Path, width: int, height: int, row: int
) -> None:
    path = stored(tmp_path, png(width, height, 1, 0, bytes(row * height)))
    assert path.stat().st_size < 20_000
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = refusal(path)
    assert message.endswith(f"is too large: {width} x {height} is more than 50,000,000 pixels.")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 20_000


def test_a_huge_frame_inside_a_small_picture_is_refused(tmp_path: Path) -> None:
    data = bytearray(encoded(Image.new("P", (8, 8)), "GIF"))
    frame = data.index(b"\x2c") + 5
    data[frame : frame + 4] = struct.pack("<2H", 60_000, 60_000)
    assert "is too large" in refusal(stored(tmp_path, bytes(data)))


def test_the_limit_is_the_callers_and_pillows_settings_stay(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    path = stored(tmp_path, encoded(noise((10, 10)), "PNG"))
    assert read_picture(path, max_pixels=100).size == (10, 10)
    with pytest.raises(PictureError, match="10 x 10 is more than 99 pixels"):
        read_picture(path, max_pixels=99)
    after = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    assert before == after


def test_threads_read_at_once_and_leave_warnings_as_they_were(tmp_path: Path) -> None:
    path = stored(tmp_path, encoded(noise(), "TIFF")[:-40])
    before = list(warnings.filters)
    refused = []

    def read() -> None:
        for _ in range(20):
            try:
                read_picture(path)
            except PictureError as error:
                refused.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 160
    assert list(warnings.filters) == before


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate"])
def test_a_damaged_tiff_prints_nothing_on_the_screen(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], compression: str
) -> None:
    data = bytearray(encoded(noise(), "TIFF", compression=compression))
    data[60:160] = bytes(range(100, 200))
    path = stored(tmp_path, bytes(data))
    with pytest.raises(PictureError):
        read_picture(path)
    assert capfd.readouterr() == ("", "")


def samples() -> list[bytes]:
    image = noise()
    animated: dict[str, Any] = {"save_all": True, "append_images": [noise(), noise()]}
    exif = Image.Exif()
    exif[274] = 6
    return [
        *(encoded(image, kind) for kind in FORMATS),
        *(encoded(image, kind, **animated) for kind in ("GIF", "PNG", "WEBP", "MPO")),
        encoded(image, "JPEG", exif=exif, icc_profile=swapped_profile(), progressive=True),
        encoded(image, "TIFF", compression="tiff_lzw", exif=exif),
        encoded(image.convert("P"), "PNG", transparency=b"\0\x80"),
        encoded(image.convert("CMYK"), "JPEG"),
        encoded(Image.new("F", (9, 9), 0.5), "TIFF"),
        png(2, 1, 16, 0, b"\0\x75\x30\x75\xff", chunk(b"tRNS", b"\x75\x30")),
        tiff(2, 12, 1, b"\xff\xf8\x00"),
    ]


SAMPLES = samples()


@settings(max_examples=400)
@given(
    st.integers(0, len(SAMPLES) - 1),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=12),
    st.floats(0.05, 1),
    st.floats(0.2, 2),
)
def test_damaged_pictures_are_read_or_refused_and_nothing_else(
    which: int, changes: list[tuple[float, int]], part: float, bias: float
) -> None:
    data = bytearray(SAMPLES[which])
    for place, value in changes:  # more of them near the beginning, where the headers are
        data[int(place ** (1 + bias) * len(data))] = value
    if part < 0.5:
        del data[int(2 * part * len(data)) :]
    with tempfile.NamedTemporaryFile() as file, warnings.catch_warnings():
        warnings.simplefilter("error")
        file.write(data)
        file.flush()
        try:
            picture = read_picture(file.name, max_pixels=1_000_000)
        except PictureError as error:
            assert error.message.startswith(file.name)
        else:
            assert picture.mode == "RGB"


# Fitting ------------------------------------------------------------------------------------


def halves(width: int, height: int) -> Image.Image:
    """Red on the left, blue on the right, a green stripe in the middle of it all."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    image.paste(GREEN, (width // 2 - 10, 0, width // 2 + 10, height))
    return image


def test_crop_covers_the_frame_and_keeps_the_centre() -> None:
    got = fit_picture(halves(400, 100), (50, 50), "crop")
    assert got.size == (50, 50)
    assert [got.getpixel((x, 25)) for x in (2, 25, 47)] == [RED, GREEN, BLUE]
    assert fit_picture(Image.new("RGB", (30, 90), RED), (50, 50)).getpixel((0, 0)) == RED


def test_pad_lies_inside_and_fills_with_the_background() -> None:
    got = fit_picture(Image.new("RGB", (400, 100), RED), (40, 40), "pad", background=BLUE)
    assert [got.getpixel((20, y)) for y in (0, 14, 15, 24, 25, 39)] == [
        BLUE, BLUE, RED, RED, BLUE, BLUE,
    ]  # fmt: skip


def test_stretch_keeps_all_of_the_picture() -> None:
    got = fit_picture(halves(400, 100), (40, 40), "stretch")
    assert [got.getpixel((x, 20)) for x in (0, 39)] == [RED, BLUE]


def test_shrinking_averages_every_pixel() -> None:
    board = Image.new("L", (512, 512))
    board.putdata([255 * ((x + y) % 2) for y in range(512) for x in range(512)])
    assert {level in range(125, 131) for level, *_ in pixels(fit_picture(board, (64, 64)))} == {
        True
    }


@pytest.mark.parametrize("fit", FITS)
def test_a_picture_of_the_right_size_is_returned_as_it_is(fit: str) -> None:
    image = noise((64, 48))
    assert fit_picture(image, (64, 48), fit) is image


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1, 100_000), (100_000, 1), (1, 1), (3, 7)])
@pytest.mark.parametrize("target", [(64, 64), (1, 1), (500, 3)])
def test_extreme_proportions_fit(fit: str, size: tuple[int, int], target: tuple[int, int]) -> None:
    got = fit_picture(Image.new("RGB", size, RED), target, fit, background=RED)
    assert got.size == target
    assert got.getcolors() == [(target[0] * target[1], RED)]


def test_a_picture_of_another_mode_is_made_rgb_first() -> None:
    got = fit_picture(clear_and(RED, "RGBA"), (3, 1), background=BLACK)
    assert pixels(got) == [BLACK, (128, 0, 0), RED]


@pytest.mark.parametrize(
    ("size", "fit", "message"),
    [
        ((0, 5), "crop", "size is 0 x 5"),
        ((5, -1), "pad", "size is 5 x -1"),
        ((5, 5), "tile", "fit is 'tile', must be one of crop, pad, stretch"),
    ],
)
def test_a_fit_that_cannot_be_is_refused(size: tuple[int, int], fit: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_picture(noise(), size, fit)
    with pytest.raises(ValueError, match="image is 0 x 5"):
        fit_picture(Image.new("RGB", (0, 5)), (5, 5))


# Sidecars and hashes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a red cat\n", "a red cat"),
        (b"\xef\xbb\xbf a\tred \r\n\r\n cat ", "a red cat"),
        ("日本\u3000猫".encode(), "日本 猫"),
        (b" \n", None),
        (b"", None),
        ("é".encode() * 100_000, "é" * 4_000),
        (b"a" + "é".encode() * 100_000, "a" + "é" * 3_999),
    ],
    ids=["plain", "mark and lines", "wide", "blank", "empty", "long", "cut inside a character"],
)
def test_a_sidecar_gives_its_text_in_one_line(
    tmp_path: Path, data: bytes, text: str | None
) -> None:
    stored(tmp_path, data, "cat.1.txt")
    assert read_sidecar(tmp_path / "cat.1.png") == text
    assert read_sidecar(tmp_path / "dog.png") is None


@pytest.mark.parametrize("data", [b"caf\xe9", "cat".encode("utf-16"), b"cat\xc3"])
def test_a_sidecar_that_is_not_utf_8_is_named(tmp_path: Path, data: bytes) -> None:
    stored(tmp_path, data, "cat.txt")
    with pytest.raises(PictureError, match=r"cat\.txt is not UTF-8 text\."):
        read_sidecar(tmp_path / "cat.png")


@pytest.mark.timeout(10)
def test_odd_sidecars_neither_hang_nor_mislead(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "cat.txt")
    with pytest.raises(PictureError, match="is a pipe"):
        read_sidecar(tmp_path / "cat.png")
    assert read_sidecar(stored(tmp_path, b"text", "self.txt")) is None
    assert read_sidecar(tmp_path / ("n" * 253 + ".b")) is None


def test_the_hash_is_sha256_of_the_bytes(tmp_path: Path) -> None:
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert content_hash(stored(tmp_path, b"abc")) == expected


# Writing ------------------------------------------------------------------------------------


def test_pixels_and_text_come_back_as_they_were_written(tmp_path: Path) -> None:
    image, path = noise(), tmp_path / "out.png"
    text = {"latmix": '{"prompt": "猫 🐈"}', "Title": "", "long": "x" * 3_000_000, "lines": "a\nb"}
    write_png(image, path, text)
    assert read_text(path) == text
    assert pixels(read_picture(path)) == pixels(image)
    assert b"iTXt" in path.read_bytes()


def test_text_of_every_kind_and_after_the_pixels_is_read(tmp_path: Path) -> None:
    data = png(1, 1, 8, 0, b"\0\0", chunk(b"tEXt", b"a\0caf\xe9"))
    zipped = chunk(b"zTXt", b"b\0\0" + zlib.compress(b"zip"))
    data = data[:-12] + zipped + chunk(b"iTXt", b"c\0\0\0\0\0" + "猫".encode()) + data[-12:]
    assert read_text(stored(tmp_path, data)) == {"a": "café", "b": "zip", "c": "猫"}


def test_text_of_a_damaged_or_other_file_is_refused(tmp_path: Path) -> None:
    bomb = chunk(b"zTXt", b"b\0\0" + zlib.compress(bytes(20_000_000)))
    for data in (
        png(1, 1, 8, 0, b"\0\0", bomb),
        png(1, 1, 8, 0, b"\0\0")[:-12],
        png(1, 1, 8, 0, b"\0\0", chunk(b"iTXt", b"a\0\0\0\0\0b")[:-1] + b"?"),
    ):
        with pytest.raises(PictureError, match="is damaged or cut short"):
            read_text(stored(tmp_path, data))
    with pytest.raises(PictureError, match="is not a PNG file"):
        read_text(stored(tmp_path, encoded(noise(), "JPEG")))
    assert read_text(stored(tmp_path, png(60_000, 60_000, 1, 0, b""))) == {}


def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_png(noise(), tmp_path / "out.png")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.png").stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


def test_an_old_file_is_replaced_and_a_link_kept(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = stored(tmp_path / "real", b"old")
    link = tmp_path / "link.png"
    link.symlink_to(real)
    write_png(Image.new("RGB", (1, 1), RED), link)
    assert link.is_symlink()
    assert read_picture(real).getpixel((0, 0)) == RED


@pytest.mark.timeout(10)
def test_places_that_cannot_be_written_are_refused_in_a_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    stored(tmp_path, b"", "file")
    (tmp_path / "astray").symlink_to(tmp_path / "no" / "where")
    before = sorted(tmp_path.iterdir())
    expected = {
        tmp_path / "missing" / "a.png": f"there is no folder {tmp_path / 'missing'}.",
        tmp_path / "astray": f"there is no folder {tmp_path / 'no'}.",
        tmp_path: "it is a folder.",
        Path(): "it is a folder.",
        tmp_path / "pipe": "it is a pipe.",
        Path("/dev/null"): "it is a device.",
        tmp_path / "circle": "it is a link that leads back to itself.",
        tmp_path / "file" / "a.png": "a part of its path is a file, not a folder.",
        tmp_path / ("n" * 256): "its name is too long.",
        tmp_path / "nul\0": "no file can have that name.",
    }
    for path, message in expected.items():
        with pytest.raises(LatmixError) as caught:
            write_png(noise(), path)
        assert caught.value.message.endswith(message)
        assert caught.value.hint
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_may_not_be_written_is_refused() -> None:
    with bound_by_permissions() as folder:
        closed = folder / "closed"
        closed.mkdir()
        closed.chmod(0o555)
        with pytest.raises(LatmixError, match="permission denied"):
            write_png(noise(), closed / "a.png")
        closed.chmod(0o700)
        assert list(closed.iterdir()) == []


def test_a_write_that_is_cut_off_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = stored(tmp_path, b"old", "out.png")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        with pytest.raises(LatmixError) as caught:
            write_png(noise(), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.message.endswith("files of that size are not allowed here.")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the disk is read-only"),
    ],
)
def test_a_disk_that_takes_no_more_is_named_with_what_to_do(number: int, reason: str) -> None:
    error = failure("write", "out.png", OSError(number, os.strerror(number)), LatmixError)
    assert error.message == f"Cannot write out.png: {reason}."
    assert error.hint


def test_an_error_without_a_name_of_its_own_says_what_the_system_said() -> None:
    error = failure("read", "a.png", OSError(errno.ESTALE, "Stale file handle"), PictureError)
    assert isinstance(error, PictureError)
    assert error.message == "Cannot read a.png: stale file handle."


@pytest.mark.parametrize("key", ["", "k" * 80, "ключ", "a\0b"])
def test_keys_that_png_cannot_hold_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="text"):
        write_png(noise(), tmp_path / "a.png", {key: "value"})
    assert list(tmp_path.iterdir()) == []


def test_values_and_pixels_that_png_cannot_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="text entry 'key' holds characters"):
        write_png(noise(), tmp_path / "a.png", {"key": "\udce9"})
    with pytest.raises(ValueError, match="image has mode CMYK"):
        write_png(Image.new("CMYK", (1, 1)), tmp_path / "a.png")


def test_what_latmix_made_is_told_from_what_it_was_given(tmp_path: Path) -> None:
    names = {"photo": {}, "result": {"latmix": "{}"}, "sheet": MADE_HERE, "other": {"a": "latmix"}}
    for name, text in names.items():
        write_png(noise(), tmp_path / f"{name}.png", text)
    (tmp_path / "text.png").write_text("no picture")
    origins = {path.stem: origin(path) for path in tmp_path.iterdir()}
    assert origins == {
        "photo": None,
        "result": "result",
        "sheet": "figure",
        "other": None,
        "text": None,
    }
    assert origin(tmp_path / "absent.png") is None
    found = find_pictures([tmp_path])
    assert {path.stem for path in found} == {"photo", "other", "text"}
    assert find_pictures([tmp_path / "sheet.png"]) == [tmp_path / "sheet.png"]
    for name in ("photo", "other", "text"):
        (tmp_path / f"{name}.png").unlink()
    assert [path.stem for path in find_pictures([tmp_path])] == ["result"]
