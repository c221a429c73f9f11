"""Read one picture from a file that may be anything."""

from __future__ import annotations

import codecs
import importlib
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from PIL import Image, ImageFile

from latmix.disk import failure
from latmix.errors import PictureError
from latmix.images.files import READS_HINT, AnyPath, open_regular
from latmix.images.hush import HUSH
from latmix.images.pixels import WHITE, Colour, NotFiniteError, to_rgb
from latmix.names import display_name

_PLUGINS = ("Jpeg", "Png", "WebP", "Bmp", "Gif", "Tiff", "Avif")
for _plugin in _PLUGINS:  # each enters its format into Image.OPEN
    importlib.import_module(f"PIL.{_plugin}ImagePlugin")
FORMATS = tuple(plugin.upper() for plugin in _PLUGINS)
MAX_PIXELS = 50_000_000

# What Pillow raises, or may, on data that was damaged or made to confuse it.
DECODING_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip
_OTHER_KINDS = {
    b"%PDF": "a PDF document",
    b"8BPS": "a Photoshop picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"\x00\x00\x00\x0cJXL": "a JPEG XL picture",
}


def read_picture(
    source: AnyPath | Image.Image,
    *,
    max_pixels: int = MAX_PIXELS,
    background: Colour = WHITE,
    at_least: int | None = None,
) -> Image.Image:
    """The picture in a file, or one that Pillow has opened, as `to_rgb` gives it.

    Of an animated picture, the first frame. One of more than `max_pixels` (width times height)
    is refused before it is decoded, and one that is cut short is refused rather than filled up with
    grey. Threads may read at the same time.

    Args:
        at_least: pixels of either side that suffice; a JPEG is then decoded smaller, and sooner.

    Raises: PictureError, and nothing else, whatever is in the file.
    """
    if isinstance(source, Image.Image):
        path = getattr(source, "filename", None) or "the picture"
        _check_size(source, path, max_pixels)
        with decoding(path):
            if _is_closed(source):
                message = f"{display_name(path)} was closed before its pixels were read."
                raise PictureError(message, "Open it again, or give its path.")
            return to_rgb(source, background)
    name = display_name(source)
    with open_regular(source) as file, decoding(source):
        head = file.read(512)
        if not head:
            raise PictureError(f"{name} is empty (0 bytes).", "Copy or download it again.")
        image = _recognise(file, head)
        if image is None:
            message = f"{name} is not a picture that latmix can read: it holds {_kind(head)}."
            raise PictureError(message, READS_HINT)
        _check_size(image, source, max_pixels)
        if at_least is not None:
            image.draft("RGB", (at_least, at_least))
        return to_rgb(image, background)


@contextmanager
def decoding(path: AnyPath) -> Iterator[None]:
    """Decode what is in a file, or a part of it, in silence.

    Raises: PictureError, where its body raises what Pillow does on damaged data.
    """
    with HUSH:
        try:
            yield
        except NotFiniteError as error:
            message = f"{display_name(path)} holds values that are infinite or not numbers."
            raise PictureError(message, "Replace them before saving it.") from error
        except DECODING_ERRORS as error:
            raise _damaged(path, error) from error


def _damaged(path: AnyPath, error: Exception) -> PictureError:
    """The error to raise when decoding a file raised one of `DECODING_ERRORS`."""
    if isinstance(error, OSError) and error.errno:
        return failure("read", path, error, PictureError)
    name = display_name(path)
    if isinstance(error, Image.DecompressionBombError):  # inside some formats Pillow looks first
        message = f"{name} is too large: it declares more pixels than are safe to read."
        return PictureError(message, "Make a smaller copy of it.")
    if isinstance(error, MemoryError):
        return PictureError(f"{name} needs more memory to decode than there is.")
    return PictureError(f"{name} is damaged or cut short.", "Copy or download it again.")


def _recognise(file: BinaryIO, head: bytes) -> ImageFile.ImageFile | None:
    """The picture, its header read and nothing decoded; None when none of `FORMATS` fits.

    Does what `Image.open(file, formats=FORMATS)` does, except that this warns of large pictures,
    and refuses larger ones, by a process-wide limit and without giving width and height.
    """
    for name in FORMATS:
        factory, accepts = Image.OPEN[name]
        if accepts is not None and accepts(head[:16]) is True:
            file.seek(0, os.SEEK_SET)
            return factory(file, "")
    return None


def _check_size(image: Image.Image, path: AnyPath, max_pixels: int) -> None:
    """Raises: PictureError, where a picture has more pixels than that."""
    if image.width * image.height > max_pixels:
        size = f"{image.width} x {image.height}"
        message = f"{display_name(path)} is too large: {size} is more than {max_pixels:,} pixels."
        raise PictureError(message, "Make a smaller copy of it.")


def _is_closed(image: Image.Image) -> bool:
    """Whether neither its pixels are there nor the file to read them from."""
    file = getattr(image, "fp", None)
    if file is not None and not getattr(file, "closed", False):
        return False
    try:
        return image.load() is None
    except DECODING_ERRORS:
        return True


def _kind(head: bytes) -> str:
    """What a file that is no picture of ours holds, from its first bytes."""
    for beginning, kind in _OTHER_KINDS.items():
        if head.startswith(beginning):
            return kind
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc"):
        return "a HEIC picture"
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return "something else"
    is_text = all(character.isprintable() or character.isspace() for character in text)
    return "text" if is_text else "something else"
