"""What is no sound picture is refused plainly. Every bad file is made by code."""

from __future__ import annotations

import os
import resource
import socket
import struct
import tempfile
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from latmix.errors import PictureError
from latmix.images.files import content_hash
from latmix.images.pictures import FORMATS, read_picture
from latmix.images.png import read_text
from tests.support.picture_files import (
    bound_by_permissions,
    chunk,
    encoded,
    noise,
    png,
    refusal,
    stored,
    swapped_profile,
    tiff,
)


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


def test_text_that_no_recipe_has_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "endless.png"
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + (2**30).to_bytes(4, "big") + b"tEXtlatmix\0")
        file.truncate(2**30)
    with pytest.raises(PictureError, match="more text than a recipe can be"):
        read_text(path)
