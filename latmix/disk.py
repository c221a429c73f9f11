"""Files on disk: written whole or not at all, read within bounds, and what goes wrong in words.

Three things, each once. A file is written beside its place, synced, renamed, and the folder synced
(`replace_file`, `write_durably`), so that after any crash it is there in full or not at all. Only a
regular file of a sane size is read (`open_regular`, `read_file`): a pipe would wait for ever. What
the system refuses becomes a sentence that says what to do (`failure`, `explained`), from one table.
Every room may call this.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from latmix.errors import LatmixError, StoreError
from latmix.names import display_name

Buffer = bytes | bytearray | memoryview
_Failure = TypeVar("_Failure", bound=LatmixError)

UNFINISHED = ".part"
"""How the name of a file that is still being written ends."""

LARGEST = 100_000_000
"""Bytes of a file that is read as a whole: the session of 500,000 pictures takes as many."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system answers where there is no room for a file."""

_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def replace_file(path: Path, parts: Sequence[Buffer], tmp: Path | None = None) -> None:
    """Puts these bytes at `path`, or leaves what was there.

    The file gets the mode that the umask asks for.

    Args:
        tmp: the folder of the unfinished file, on the same file system; the folder of `path` if
            not given.

    Raises:
        OSError: the system refused.
    """
    unfinished = (tmp or path.parent) / f".latmix-{uuid4().hex}{UNFINISHED}"
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666)
        with os.fdopen(handle, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_durably(path: Path, parts: Sequence[Buffer], *, tmp: Path | None = None) -> None:
    """As `replace_file`; missing folders are made.

    Raises:
        StoreError: the system refused (full, over quota, read-only, not allowed, ...).
    """
    with explained(path.parent, need=sum(map(len, parts))):
        _make_folder(tmp or path.parent)
        _make_folder(path.parent)
        replace_file(path, parts, tmp)


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
    write_durably(path, [text.encode("ascii")], tmp=tmp)


def make_folder(folder: Path) -> None:
    """Makes `folder` and its missing parents, each one so that it survives a power cut.

    Raises:
        StoreError: the system refused.
    """
    with explained(folder):
        _make_folder(folder)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Makes the names in `folder` survive a power cut, where the system can."""
    if os.name == "nt":  # Windows opens no folders; NTFS keeps a journal of the names itself.
        return
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:  # one may write into it, but not list it
        return
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network and FUSE file systems cannot sync a folder at all.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


class NotReadable(OSError):
    """Nothing that is read as a file, though the system would let us: a pipe, or far too much."""


def open_regular(path: Path) -> io.BufferedReader:
    """Opens a regular file to read it; anything else (a pipe would wait for ever) stays unopened.

    Raises:
        NotReadable: it is no regular file. OSError: the system refused. ValueError: no file can
            have that name.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise NotReadable(f"it is {kind_of(mode)}, not a file")
    # Not blocking, because it may have become a pipe in between.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _FLAGS)
    return os.fdopen(handle, "rb")


def read_file(path: Path, most: int = LARGEST) -> bytes:
    """All of a regular file of at most so many bytes.

    Raises:
        NotReadable: it is larger, or no regular file. OSError, ValueError: as `open_regular`.
    """
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise NotReadable(f"it is larger than {_size(most)}")
    return content


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        ValueError: it is no JSON. OSError: as `read_file`.
    """
    return parse_json(read_file(path))


def parse_json(text: str | bytes | bytearray) -> Any:
    """The value in JSON.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def kind_of(mode: int) -> str:
    """What a path that is no regular file is, from its `st_mode`."""
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


@dataclass(frozen=True)
class _Refusal:
    """What an error number means.

    Attributes:
        reason, hint: of a file that is named: "Cannot write NAME: reason."
        sentence, advice: of a folder that latmix keeps something in.
    """

    reason: str
    hint: str
    sentence: str = "The system failed on {name}: {said}."
    advice: str = "Check the disk"


_DENIED = _Refusal(
    "permission denied",
    "Change its permissions, or use another folder.",
    "You may not read or write in {name}.",
    "Change its permissions",
)
_REFUSALS = {
    errno.ENOENT: _Refusal("there is no such file or folder", "Check the name."),
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.ENOTDIR: _Refusal("a part of its path is a file, not a folder", "Check the name."),
    errno.ELOOP: _Refusal("it is a link that leads back to itself", "Name the file itself."),
    errno.ENAMETOOLONG: _Refusal("its name is too long", "Use a shorter name."),
    errno.ENOSPC: _Refusal(
        "the disk is full",
        "Make room, or use another disk.",
        "The disk of {name} is full: {room}.",
        "Free some space (latmix store prune removes what is no longer of use)",
    ),
    errno.EDQUOT: _Refusal(
        "the disk quota is used up",
        "Make room, or use another disk.",
        "Your quota on the disk of {name} is used up{needed}.",
        "Remove files of yours (latmix store prune removes some)",
    ),
    errno.EFBIG: _Refusal(
        "files of that size are not allowed here",
        "Look at `ulimit -f`.",
        "The system does not allow a file this large in {name}{needed}.",
        "Raise the limit on the size of files (ulimit -f)",
    ),
    errno.EROFS: _Refusal(
        "the disk is read-only",
        "Use another folder.",
        "{name} is on a read-only file system.",
        "Make it writable",
    ),
    errno.EIO: _Refusal("the disk reports an error", "Check the disk, or copy the file again."),
}


def failure(
    verb: str, path: str | os.PathLike[str], error: OSError | ValueError, kind: type[_Failure]
) -> _Failure:
    """The error of a `kind` to raise when the system would not let us `verb` a path."""
    if isinstance(error, OSError):
        said = (error.strerror or str(error) or type(error).__name__).lower()
        known = _REFUSALS.get(error.errno or 0, _Refusal(said, ""))
    else:  # a NUL, or a character that no file name can hold
        known = _Refusal("no file can have that name", "Check the name.")
    return kind(f"Cannot {verb} {display_name(path)}: {known.reason}.", known.hint)


@contextmanager
def explained(folder: Path, need: int = 0) -> Iterator[None]:
    """Turns an `OSError` of its body, which works in `folder`, into a `StoreError`.

    Args:
        need: bytes that are to be written, for the message of a full disk.
    """
    try:
        yield
    except OSError as error:
        known = _REFUSALS.get(error.errno or 0, _Refusal("", ""))
        sentence = known.sentence.format(
            name=display_name(folder),
            said=error.strerror or error,
            needed=f" ({_size(need)} needed)" if need else "",
            room=(f"{_size(need)} needed, " if need else "") + _free(folder),
        )
        advice = f"{known.advice}, or choose another folder for the store."
        raise StoreError(sentence, advice) from error


def _free(folder: Path) -> str:
    try:
        return f"{_size(shutil.disk_usage(folder).free)} free"
    except OSError:  # the folder itself could not be made
        return "none free"


def _size(count: int) -> str:
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"
