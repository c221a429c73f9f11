"""Read one picture from a file that may be anything."""

from __future__ import annotations

import codecs
import ctypes
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Callable
from typing import BinaryIO

from PIL import (  # each plugin enters its format into Image.OPEN
    AvifImagePlugin,  # noqa: F401
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    ImageFile,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
    _imaging,
)

from latmix.disk import failure
from latmix.errors import PictureError
from latmix.images.files import READS_HINT, AnyPath, open_regular
from latmix.images.pixels import WHITE, Colour, NotFiniteError, to_rgb
from latmix.names import display_name

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
MAX_PIXELS = 50_000_000

# What Pillow raises, or may, on data that was damaged or made to confuse it.
DECODING_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip
_ORIENTATION = 274  # the EXIF tag
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_OTHER_KINDS = {
    b"%PDF": "a PDF document",
    b"8BPS": "a Photoshop picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"\x00\x00\x00\x0cJXL": "a JPEG XL picture",
}


def read_picture(
    path: AnyPath,
    *,
    max_pixels: int = MAX_PIXELS,
    background: Colour = WHITE,
    at_least: int | None = None,
) -> Image.Image:
    """The picture in a file, as `to_rgb` gives it, turned upright as its EXIF data says.

    Of an animated picture, the first frame. A picture of more than `max_pixels` (width times
    height) is refused before it is decoded, and one that is cut short is refused rather than
    filled up with grey. Threads may read at the same time.

    Args:
        at_least: pixels of either side that suffice; a JPEG is then decoded smaller, and sooner.

    Raises: PictureError, and nothing else, whatever is in the file.
    """
    name = display_name(path)
    with open_regular(path) as file, HUSH:
        try:
            head = file.read(512)
            if not head:
                raise PictureError(f"{name} is empty (0 bytes).", "Copy or download it again.")
            image = _recognise(file, head)
            if image is None:
                message = f"{name} is not a picture that latmix can read: it holds {_kind(head)}."
                raise PictureError(message, READS_HINT)
            if image.width * image.height > max_pixels:
                size = f"{image.width} x {image.height}"
                message = f"{name} is too large: {size} is more than {max_pixels:,} pixels."
                raise PictureError(message, "Make a smaller copy of it.")
            if at_least is not None:
                image.draft("RGB", (at_least, at_least))
            return _decode(image, background)
        except NotFiniteError as error:
            message = f"{name} holds values that are infinite or not numbers."
            raise PictureError(message, "Replace them before saving it.") from error
        except DECODING_ERRORS as error:
            raise damaged(path, error) from error


def damaged(path: AnyPath, error: Exception) -> PictureError:
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


def _tiff_complaints() -> Callable[[int | None], int | None]:
    """libtiff's setter of its error handler, which gives the one before.

    Its own handler prints to file descriptor 2, which no Python code sees and which is the
    screen of the terminal UI. Where the setter cannot be reached, nothing is set.
    """
    try:
        setter = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
    except (AttributeError, OSError):
        return lambda handler: None
    setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
    return setter


class Hush:
    """While anyone reads, nothing is printed: remarks on a picture are not for the user.

    Warning filters and libtiff's error handler belong to the whole process, so readers in
    several threads share one change of them: the first makes it and the last takes it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._filters = warnings.catch_warnings()
        self._set_tiff_handler = _tiff_complaints()
        self._tiff_handler: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._readers += 1
            if self._readers == 1:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
                self._tiff_handler = self._set_tiff_handler(None)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._readers -= 1
            if self._readers == 0:
                self._filters.__exit__(None, None, None)
                self._set_tiff_handler(self._tiff_handler)


HUSH = Hush()


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


def _decode(image: ImageFile.ImageFile, background: Colour) -> Image.Image:
    _mend_transparency(image)
    image.load()
    orientation = image.getexif().get(_ORIENTATION)
    turn = _TURN.get(orientation) if isinstance(orientation, int) else None
    picture = to_rgb(image, background)
    return picture if turn is None else picture.transpose(turn)


def _mend_transparency(image: ImageFile.ImageFile) -> None:
    """Put the transparent level of a PNG on the scale of its pixels.

    Pillow widens grey of 2 and 4 bits to 8, and narrows colours of 16, but leaves the level as
    the file has it, so that it matches nothing.
    """
    clear = image.info.get("transparency")
    raw = image.tile[0].args if image.tile else None
    if isinstance(clear, int) and raw in ("L;2", "L;4"):
        image.info["transparency"] = (clear * (85 if raw == "L;2" else 17)) & 0xFF
    elif isinstance(clear, tuple) and raw == "RGB;16B":
        image.info["transparency"] = tuple(level >> 8 for level in clear)


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
