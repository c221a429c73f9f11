"""Reading folders for a screen: short, but never on the screen's own thread."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

from latmix.errors import LatmixError
from latmix.jobs.progress import Progress
from latmix.names import display_name

COUNT_SECONDS = 1.5
"""Time spent on counting the pictures of subfolders; those it does not reach are shown without."""


@dataclass(frozen=True)
class FolderEntry:
    """A folder one could open.

    Attributes:
        name: to show; of a built-in folder its own.
        pictures: how many lie in it, without its subfolders; None where it was not counted.
        has_folders: whether it has subfolders.
        prompt: what its pictures show, where latmix knows (built-in folders).
    """

    path: Path
    name: str
    pictures: int | None
    has_folders: bool
    prompt: str | None = None


def import_readers() -> None:
    """Import what reading folders and pictures needs.

    While the system loads torch's libraries, extension modules that are imported would wait for it,
    with Python's lock held.
    """
    import latmix.demo
    import latmix.images  # noqa: F401


def scan_pictures(folder: Path, recursive: bool) -> list[Path]:
    """The pictures of a folder, in natural order.

    Raises:
        LatmixError: it is not there, cannot be read, or holds none.
    """
    from latmix.images.folders import find_pictures

    if not folder.is_dir():
        raise LatmixError(f"There is no folder {display_name(folder)}.", "Choose another with f.")
    return find_pictures([folder], recursive=recursive)


def list_folders(folder: Path | None) -> Generator[Progress, None, list[FolderEntry]]:
    """The subfolders of a folder, in natural order, with the number of pictures in each; None
    stands for the folders that come with latmix.

    Raises:
        LatmixError: it cannot be listed.
    """
    from latmix.images.folders import natural_key

    if folder is None:
        return _built_in()
    try:
        with os.scandir(folder) as found:
            names = [entry.name for entry in found if _is_shown_folder(entry)]
    except OSError as error:
        raise LatmixError(f"{display_name(folder)} cannot be listed: {error.strerror}.") from error
    deadline = time.monotonic() + COUNT_SECONDS
    entries: list[FolderEntry] = []
    for name in sorted(names, key=natural_key):
        yield Progress("list", len(entries), len(names))
        uncounted = FolderEntry(folder / name, display_name(name), None, True)
        entries.append(_counted(folder / name) if time.monotonic() < deadline else uncounted)
    return entries


def _built_in() -> list[FolderEntry]:
    from latmix import demo

    return [
        replace(_counted(demo.folder(name)), name=name, has_folders=False, prompt=demo.prompt(name))
        for name in demo.names()
    ]


def _counted(folder: Path) -> FolderEntry:
    from latmix.images.folders import SUFFIXES

    pictures, has_folders = 0, False
    try:
        with os.scandir(folder) as found:
            for entry in found:
                if entry.name.startswith("."):
                    continue
                if entry.name.lower().endswith(SUFFIXES):
                    pictures += 1
                elif not has_folders:
                    has_folders = _is_shown_folder(entry)
    except OSError:
        return FolderEntry(folder, display_name(folder.name), None, False)
    return FolderEntry(folder, display_name(folder.name), pictures, has_folders)


def _is_shown_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return not entry.name.startswith(".") and entry.is_dir()
    except OSError:
        return False
