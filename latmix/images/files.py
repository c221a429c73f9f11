"""The files of pictures, and what lies beside them. Only the rest of `images` calls the functions
that are not listed in `latmix.images`.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import os
from pathlib import Path

from latmix import disk
from latmix.disk import failure
from latmix.errors import PictureError
from latmix.names import display_name

AnyPath = str | os.PathLike[str]

READS_HINT = "latmix reads JPEG, PNG, WebP, BMP, GIF, TIFF and AVIF."
MAX_SIDECAR_CHARACTERS = 4_000


def content_hash(path: AnyPath) -> str:
    """The SHA-256 of the file's bytes, in hex. Raises: PictureError if it cannot be read."""
    with open_regular(path) as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise failure("read", path, error, PictureError) from error


def read_sidecar(path: AnyPath) -> str | None:
    """The text (a prompt) in `name.txt` beside the picture `name.png`, or None without any.

    UTF-8, a byte order mark allowed; runs of white space become one space; at most the first
    4,000 characters.

    Raises: PictureError if the text cannot be read or is not UTF-8.
    """
    picture = as_path(path)
    beside = picture.with_suffix(".txt")
    # Unlike the path's own method it never raises.
    if beside == picture or not os.path.exists(beside):  # noqa: PTH110
        return None
    with open_regular(beside) as file:
        try:
            data = file.read(16 * MAX_SIDECAR_CHARACTERS)
            decoder = codecs.getincrementaldecoder("utf-8-sig")()
            text = decoder.decode(data, final=not file.read(1))
        except OSError as error:
            raise failure("read", beside, error, PictureError) from error
        except UnicodeDecodeError as error:
            message = f"{display_name(beside)} is not UTF-8 text."
            raise PictureError(message, "Save it as UTF-8, or remove it.") from error
    return " ".join(text.split())[:MAX_SIDECAR_CHARACTERS].rstrip() or None


def as_path(path: AnyPath) -> Path:
    return Path(os.fsdecode(path))


def open_regular(path: AnyPath) -> io.BufferedReader:
    """Open a regular file to read it. Anything else (a pipe would wait for ever) stays unopened.

    Raises: PictureError.
    """
    path = as_path(path)
    try:
        return disk.open_regular(path)
    except disk.NotReadable as error:
        message = f"{display_name(path)} {str(error).removeprefix('it ')}."
        raise PictureError(message, READS_HINT) from error
    except (OSError, ValueError) as error:
        raise failure("read", path, error, PictureError) from error
