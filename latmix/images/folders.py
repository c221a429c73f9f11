"""Which pictures some files and folders name."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from natsort import natsort_keygen, ns

from latmix.disk import failure, kind_of
from latmix.errors import LatmixError
from latmix.images.files import READS_HINT, AnyPath, as_path
from latmix.images.png import origin
from latmix.names import display_name, plural

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif")

_MOST_FOLDERS_COUNTED = 1_000
_split_numbers = natsort_keygen(alg=ns.IGNORECASE)


def natural_key(name: str) -> tuple[object, ...]:
    """The sort key that puts file names as a person would: `2.png`, `10.png`, `a.png`."""
    stem, dot, suffix = name.rpartition(".")
    return _split_numbers(stem if dot else name), suffix.casefold(), name


def find_pictures(paths: Iterable[AnyPath], *, recursive: bool = False) -> list[Path]:
    """The pictures that files and folders name, each once, in the order given.

    A file is taken whatever its suffix. A folder gives the regular files (or links to such) in
    it that end in one of `SUFFIXES`, in natural order, without hidden ones; with `recursive` its
    subfolders follow, also in natural order. Links to folders are followed only when named.
    What latmix itself has written into a folder is no picture of it: its sheets and figures never,
    its results where there are other pictures.

    Raises: LatmixError for an empty name, a path that is not there or is neither file nor
    folder, a folder that cannot be listed, and a folder without pictures.
    """
    real_folder = cache(Path.resolve)
    found: dict[tuple[Path, str], Path] = {}
    for path in [paths] if isinstance(paths, str) else paths:
        for picture in _pictures_of(path, recursive):
            found.setdefault((real_folder(picture.parent), picture.name), picture)
    return list(found.values())


def _pictures_of(given: AnyPath, recursive: bool) -> list[Path]:
    """The file itself, or the pictures of a folder."""
    if not os.fspath(given):
        raise LatmixError("The name of a picture or folder is empty.", "Check the paths given.")
    path = as_path(given)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise failure("find", path, error, LatmixError) from error
    if stat.S_ISREG(mode):
        return [path]
    if not stat.S_ISDIR(mode):
        raise LatmixError(f"{display_name(path)} is {kind_of(mode)}, not a file.", READS_HINT)
    pictures = _without_own(_walk(path, recursive))
    if not pictures:
        raise _no_pictures(path, recursive)
    return pictures


def _without_own(found: Iterable[Path]) -> list[Path]:
    """Pictures of a folder without those that latmix made of the others."""
    origins = {p: origin(p) if p.suffix.lower() == ".png" else None for p in found}
    others = [path for path, made_as in origins.items() if made_as is None]
    return others or [path for path, made_as in origins.items() if made_as == "result"]


def _walk(folder: Path, recursive: bool) -> Iterator[Path]:
    pending = [folder]
    while pending:
        here = pending.pop()
        pictures, folders = _list(here)
        yield from (here / name for name in sorted(pictures, key=natural_key))
        if recursive:
            pending += (here / name for name in sorted(folders, key=natural_key, reverse=True))


def _list(folder: Path) -> tuple[list[str], list[str]]:
    """Names of the pictures and of the subfolders in a folder, in no order."""
    pictures: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.name.lower().endswith(SUFFIXES) and _is_regular(entry):
                    pictures.append(entry.name)
    except OSError as error:
        raise failure("list the folder", folder, error, LatmixError) from error
    return pictures, folders


def _is_regular(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads back to itself
        return False


def _no_pictures(folder: Path, recursive: bool) -> LatmixError:
    """Say which suffixes were looked for, or that the pictures lie further down."""
    below = "" if recursive else _count_below(folder)
    if below:
        hint = f"Its subfolders hold {below}: pass --recursive, or name one of them."
    else:
        hint = f"latmix looks for names that end in {', '.join(SUFFIXES)}."
    where = " or its subfolders" if recursive else ""
    return LatmixError(f"There are no pictures in {display_name(folder)}{where}.", hint)


def _count_below(folder: Path) -> str:
    """`12 pictures` in subfolders, without reading a whole disk to find out; empty for none."""
    pictures, seen, pending = 0, 0, [folder]
    while pending and seen < _MOST_FOLDERS_COUNTED:
        here = pending.pop()
        seen += 1
        try:
            names, folders = _list(here)
        except LatmixError:
            continue
        pictures += len(names)
        pending += (here / name for name in folders)
    if not pictures:
        return ""
    return ("at least " if pending else "") + plural(pictures, "picture")
