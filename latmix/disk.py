"""Writes a file so that after any crash it is either there in full or not there at all.

Written beside its place, synced, renamed, and the folder synced. What the system refuses becomes a
`StoreError` that says what happened and what to do. Every room that keeps something may call it.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from latmix.errors import StoreError
from latmix.names import display_name

UNFINISHED = ".part"
"""How the name of a file that is still being written ends."""


def write_durably(
    path: Path,
    write: Callable[[BinaryIO], object],
    *,
    tmp: Path | None = None,
    need: int = 0,
) -> None:
    """Puts at `path` what `write` writes, or leaves what was there.

    The file gets the mode that the umask asks for. Missing folders are made.

    Args:
        path: where the file shall be; a file already there is replaced.
        write: is given the open, still nameless file.
        tmp: the folder of the unfinished file, on the same file system; the folder of `path` if
            not given.
        need: bytes that will be written, for the message of a full disk.

    Raises:
        StoreError: the system refused (full, over quota, read-only, not allowed, ...).
    """
    tmp = path.parent if tmp is None else tmp
    unfinished = tmp / f"{uuid4().hex}{UNFINISHED}"
    with explained(path.parent, need):
        make_folder(tmp)
        make_folder(path.parent)
        try:
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666)
            with os.fdopen(handle, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_json_durably(path: Path, value: object, *, tmp: Path | None = None) -> None:
    """Puts `value` at `path` as indented JSON, or leaves what was there.

    Raises:
        ValueError: `value` is not plain JSON (NaN and infinity are not).
        StoreError: as `write_durably`.
    """
    try:
        text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"value must be plain JSON: {error}") from error
    write_durably(path, lambda file: file.write(text.encode("ascii")), tmp=tmp, need=len(text))


def make_folder(folder: Path) -> None:
    """Makes `folder` and its missing parents, each one so that it survives a power cut.

    Raises:
        OSError: the system refused.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` survive a power cut."""
    if os.name == "nt":  # Windows opens no folders; NTFS keeps a journal of the names itself.
        return
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network and FUSE file systems cannot sync a folder at all.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


@contextmanager
def explained(folder: Path, need: int = 0) -> Iterator[None]:
    """Turns an `OSError` of its body, which works in `folder`, into a `StoreError`."""
    try:
        yield
    except OSError as error:
        raise _explanation(error, folder, need) from error


def _explanation(error: OSError, folder: Path, need: int) -> StoreError:
    name = display_name(folder)
    elsewhere = "or choose another folder for the store."
    if error.errno == errno.ENOSPC:
        return StoreError(
            f"The disk of {name} is full: {_free(folder, need)}.",
            f"Free some space (latmix store prune removes what is no longer of use), {elsewhere}",
        )
    if error.errno == getattr(errno, "EDQUOT", None):
        return StoreError(
            f"Your quota on the disk of {name} is used up{_needed(need)}.",
            f"Remove files of yours (latmix store prune removes some), {elsewhere}",
        )
    if error.errno == errno.EFBIG:
        return StoreError(
            f"The system does not allow a file this large in {name}{_needed(need)}.",
            f"Raise the limit on the size of files (ulimit -f), {elsewhere}",
        )
    if error.errno == errno.EROFS:
        return StoreError(
            f"{name} is on a read-only file system.", f"Make it writable, {elsewhere}"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return StoreError(
            f"You may not read or write in {name}.", f"Change its permissions, {elsewhere}"
        )
    return StoreError(
        f"The system failed on {name}: {error.strerror or error}.", f"Check the disk, {elsewhere}"
    )


def _needed(need: int) -> str:
    return f" ({_size(need)} needed)" if need else ""


def _free(folder: Path, need: int) -> str:
    try:
        free = f"{_size(shutil.disk_usage(folder).free)} free"
    except OSError:  # the folder itself could not be made
        free = "none free"
    return f"{_size(need)} needed, {free}" if need else free


def _size(count: int) -> str:
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"


_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
