"""Regular files and what the system says against them. Only the rest of `images` calls the
functions that are not listed in `latmix.images`.
"""

from __future__ import annotations

import codecs
import errno
import hashlib
import io
import os
import stat
from pathlib import Path
from typing import TypeVar

from latmix.errors import LatmixError, PictureError
from latmix.names import display_name

AnyPath = str | os.PathLike[str]

_Failure = TypeVar("_Failure", bound=LatmixError)

READS_HINT = "latmix reads JPEG, PNG, WebP, BMP, GIF, TIFF and AVIF."
MAX_SIDECAR_CHARACTERS = 4_000

# What an operating system's error number means, and what to do about it.
_REASONS = {
    errno.ENOENT: ("there is no such file or folder", "Check the name."),
    errno.EACCES: ("permission denied", "Change its permissions, or use another folder."),
    errno.EPERM: ("permission denied", "Change its permissions, or use another folder."),
    errno.ENOTDIR: ("a part of its path is a file, not a folder", "Check the name."),
    errno.ELOOP: ("it is a link that leads back to itself", "Name the file itself."),
    errno.ENAMETOOLONG: ("its name is too long", "Use a shorter name."),
    errno.ENOSPC: ("the disk is full", "Make room, or use another disk."),
    errno.EDQUOT: ("the disk quota is used up", "Make room, or use another disk."),
    errno.EFBIG: ("files of that size are not allowed here", "Look at `ulimit -f`."),
    errno.EROFS: ("the disk is read-only", "Use another folder."),
    errno.EIO: ("the disk reports an error", "Check the disk, or copy the file again."),
}


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
    try:
        beside.stat()
    except (OSError, ValueError):
        return None
    if beside == picture:
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
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            # Not blocking, because it may have become a pipe in between.
            flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            return os.fdopen(os.open(path, os.O_RDONLY | flags), "rb")
    except (OSError, ValueError) as error:
        raise failure("read", path, error, PictureError) from error
    raise PictureError(f"{display_name(path)} is {kind_of(mode)}, not a file.", READS_HINT)


def kind_of(mode: int) -> str:
    """What a path that is no regular file is, from its `st_mode`."""
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def failure(
    verb: str, path: AnyPath, error: OSError | ValueError, kind: type[_Failure]
) -> _Failure:
    """The error of a `kind` to raise when the system would not let us `verb` a path."""
    if isinstance(error, OSError):
        said = (error.strerror or str(error) or type(error).__name__).lower()
        reason, hint = _REASONS.get(error.errno or 0, (said, ""))
    else:  # a NUL, or a character that no file name can hold
        reason, hint = "no file can have that name", "Check the name."
    return kind(f"Cannot {verb} {display_name(path)}: {reason}.", hint)
