"""Write PNG files that carry text (a recipe), and read that text back."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from PIL import Image, PngImagePlugin

from latmix.disk import LARGEST, failure, kind_of, replace_file
from latmix.errors import LatmixError, PictureError
from latmix.images.files import AnyPath, as_path, open_regular
from latmix.images.pictures import decoding
from latmix.names import display_name

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_MAX_KEY_BYTES = 79  # PNG specification, 11.3.3.2
MADE_HERE: Mapping[str, str] = MappingProxyType({"Software": "latmix"})
"""The text of PNG files that latmix writes without a recipe: sheets and figures."""

# How the entries of such files begin, as tEXt and as iTXt, and that of a recipe.
_FIGURE = (b"Software\0latmix", b"Software\0\0\0\0\0latmix")
_RESULT = b"latmix\0"
_NO_TEXT: Mapping[str, str] = MappingProxyType({})


def write_png(image: Image.Image, path: AnyPath, text: Mapping[str, str] = _NO_TEXT) -> None:
    """Write the picture as PNG with `text` as iTXt entries: wholly, for good, or not at all.

    It is written beside its place under another name, made durable, and moved there at once, so
    that a crash leaves the old file or the new one. A link is kept and its file replaced.

    Raises: LatmixError if the file cannot be written (its folder must exist); ValueError for a
    key or value that PNG cannot hold, or pixels that it cannot.
    """
    write_whole(_encode(image, text), path)


def write_whole(data: bytes | memoryview, path: AnyPath) -> None:
    """Write a file of any kind as `write_png` does: wholly, for good, or not at all.

    Raises: LatmixError if the file cannot be written (its folder must exist).
    """
    target = check_writable(path)
    try:
        replace_file(target, [data])
    except OSError as error:
        raise failure("write", path, error, LatmixError) from error


def check_writable(path: AnyPath) -> Path:
    """Where `write_png` would write to, links resolved; ask before work is spent on a picture.

    Raises: LatmixError if it can be seen already that the file cannot be written.
    """
    target = as_path(path)
    try:
        try:
            mode = target.stat().st_mode
        except FileNotFoundError:
            mode = stat.S_IFREG
        target = target.resolve()
    except (OSError, ValueError) as error:
        raise failure("write", path, error, LatmixError) from error
    if not stat.S_ISREG(mode):
        message = f"Cannot write {display_name(path)}: it is {kind_of(mode)}."
        raise LatmixError(message, "Give the name of a file.")
    if not target.parent.is_dir():
        folder = display_name(target.parent)
        message = f"Cannot write {display_name(path)}: there is no folder {folder}."
        raise LatmixError(message, "Make the folder first.")
    effective = os.access in os.supports_effective_ids
    if not os.access(target.parent, os.W_OK | os.X_OK, effective_ids=effective):
        raise failure("write", path, PermissionError(errno.EACCES, ""), LatmixError)
    return target


def read_text(path: AnyPath) -> dict[str, str]:
    """The text entries (tEXt, zTXt, iTXt) of a PNG file, without decoding its pixels.

    Raises: PictureError if the file cannot be read, is no PNG, or is damaged.
    """
    with open_regular(path) as file, decoding(path):
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            message = f"{display_name(path)} is not a PNG file."
            raise PictureError(message, "Name a PNG that latmix wrote.")
        chunks = PngImagePlugin.PngStream(file)
        while True:
            kind, position, length = chunks.read()
            if kind == b"IEND":
                return {key: str(value) for key, value in chunks.im_text.items()}
            if kind in _TEXT_CHUNKS and length > LARGEST:
                message = f"{display_name(path)} holds more text than a recipe can be."
                raise PictureError(message, "Name a PNG that latmix wrote.")
            if kind in _TEXT_CHUNKS:
                chunks.crc(kind, chunks.call(kind, position, length))
            else:
                file.seek(length + 4, os.SEEK_CUR)  # 4: the checksum


def origin(path: AnyPath) -> str | None:
    """What latmix wrote this PNG as, "result" or "figure"; None for any other file.

    Reads only what stands before the pixels, so that whole folders can be asked.
    """
    try:
        with open_regular(path) as file:
            if file.read(len(_SIGNATURE)) != _SIGNATURE:
                return None
            while (head := file.read(8))[4:] not in (b"", b"IDAT", b"IEND"):
                length = int.from_bytes(head[:4], "big")
                text = file.read(min(length, 32)) if head[4:] in _TEXT_CHUNKS else b""
                if text.startswith((_RESULT, *_FIGURE)):
                    return "result" if text.startswith(_RESULT) else "figure"
                file.seek(length - len(text) + 4, os.SEEK_CUR)  # 4: the checksum
    except (OSError, PictureError):
        pass
    return None


def _encode(image: Image.Image, text: Mapping[str, str]) -> memoryview:
    """The bytes of the file, made in memory: Pillow would lose why a disk refuses them."""
    entries = PngImagePlugin.PngInfo()
    for key, value in text.items():
        try:
            key_bytes = key.encode("latin-1")
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(f"text entry {key!r} holds characters that PNG cannot") from error
        if not 0 < len(key_bytes) <= _MAX_KEY_BYTES or b"\0" in key_bytes:
            raise ValueError(f"text key is {key!r}, must be 1 to {_MAX_KEY_BYTES} characters")
        entries.add_itxt(key, value)
    buffer = io.BytesIO()
    try:
        image.save(buffer, "PNG", pnginfo=entries)
    except OSError as error:
        raise ValueError(f"image has mode {image.mode}, which PNG cannot hold") from error
    return buffer.getbuffer()
