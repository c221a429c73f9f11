"""What lies beside a picture, and the hash of its bytes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from latmix.errors import PictureError
from latmix.images.files import content_hash, read_sidecar
from tests.support.picture_files import stored


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
