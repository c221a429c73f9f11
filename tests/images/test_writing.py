"""Pictures are written whole or not at all, with their text."""

from __future__ import annotations

import errno
import os
import resource
import stat
import zlib
from pathlib import Path

import pytest
from PIL import Image

from latmix.disk import failure
from latmix.errors import LatmixError, PictureError
from latmix.images.folders import find_pictures
from latmix.images.pictures import read_picture
from latmix.images.png import MADE_HERE, origin, read_text, write_png
from tests.support.picture_files import (
    RED,
    bound_by_permissions,
    chunk,
    encoded,
    noise,
    pixels,
    png,
    stored,
)


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
