"""The command line, called in this process, and what it answered."""

from __future__ import annotations

import functools
import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

from PIL import Image
from typer import testing
from typer.testing import Result

from latmix.cli import app

QUICK = ["--steps", "2", "--size", "32", "--device", "cpu"]


# Typer makes the command anew for every call otherwise, of all that `latmix` has.
testing._get_command = functools.cache(testing._get_command)


def cli(*words: object) -> Result:
    texts = [os.fspath(w) if isinstance(w, Path) else str(w) for w in words]
    return testing.CliRunner().invoke(app, texts)


def answer(result: Result) -> Any:
    assert result.exit_code in (0, 3), result.output
    return json.loads(result.stdout)


def refused(result: Result, code: int, *said: str) -> None:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    for words in said:
        assert words in result.stderr, result.stderr


def bomb() -> bytes:
    """A PNG of 68 bytes that claims 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def spoil(place: Path) -> dict[str, str]:
    """Put pictures that cannot be read into a folder; returns a word of each one's reason."""
    Image.new("RGB", (64, 64), "red").save(place / "a-truncated.jpg", quality=95)
    whole = (place / "a-truncated.jpg").read_bytes()
    (place / "a-truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (place / "b-empty.png").write_bytes(b"")
    (place / "c-text.png").write_text("this is no picture")
    (place / "d-bomb.png").write_bytes(bomb())
    return {"a-truncated.jpg": "", "b-empty.png": "empty", "c-text.png": "", "d-bomb.png": "60000"}
