"""Jobs that read folders and pictures for a screen: short, but never on the screen's own thread."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from latmix.errors import LatmixError
from latmix.jobs.progress import Progress
from latmix.jobs.screen.studio import SHOWN_SIDE, for_screen

COUNT_SECONDS = 1.5
"""Time spent on counting the pictures of subfolders; those it does not reach are shown without."""


TILE_SIDE = 24
"""Pixels of a small picture beside a name: three for each half-block of a row of four lines."""


@dataclass(frozen=True)
class Found:
    """The pictures of a folder, in natural order, with what was asked.

    Attributes:
        prompt: what its pictures show, where latmix knows.
    """

    folder: Path
    recursive: bool
    prompt: str | None
    pictures: list[Path]


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


@dataclass(frozen=True)
class Listing:
    """A folder's subfolders, in natural order; with no folder, the built-in ones."""

    folder: Path | None
    entries: tuple[FolderEntry, ...]


def scan_pictures(
    folder: Path, recursive: bool, prompt: str | None
) -> Generator[Progress, None, Found]:
    """The pictures of a folder.

    Raises:
        LatmixError: it is not there, cannot be read, or holds none.
    """
    from latmix.images import find_pictures

    yield Progress("scan", 0, 0, note="reading the folder")
    if not folder.is_dir():
        raise LatmixError(f"There is no folder {_shown(folder)}.", "Choose another with f.")
    return Found(folder, recursive, prompt, find_pictures([folder], recursive=recursive))


def list_folders(folder: Path) -> Generator[Progress, None, Listing]:
    """The subfolders of a folder, with the number of pictures in each.

    Raises:
        LatmixError: it cannot be listed.
    """
    from latmix.images import natural_key

    yield Progress("list", 0, 0)
    try:
        with os.scandir(folder) as found:
            names = [entry.name for entry in found if _is_shown_folder(entry)]
    except OSError as error:
        raise LatmixError(f"{_shown(folder)} cannot be listed: {error.strerror}.") from error
    deadline = time.monotonic() + COUNT_SECONDS
    entries = []
    for name in sorted(names, key=natural_key):
        entries.append(_entry(folder / name, count=time.monotonic() < deadline))
        yield Progress("list", len(entries), len(names))
    return Listing(folder, tuple(entries))


def list_built_in() -> Generator[Progress, None, Listing]:
    """The folders of pictures that come with latmix."""
    from latmix import demo

    yield Progress("list", 0, 0)
    entries = []
    for name in demo.names():
        entry = _entry(demo.folder(name), count=True)
        entries.append(FolderEntry(entry.path, name, entry.pictures, False, demo.prompt(name)))
    return Listing(None, tuple(entries))


def read_thumbnail(path: Path) -> Generator[Progress, None, Image.Image]:
    """A picture, small.

    Raises:
        PictureError: it cannot be read.
    """
    from latmix.images import read_picture

    yield Progress("thumbnail", 0, 1)
    return for_screen(read_picture(path, at_least=SHOWN_SIDE))


def read_tile(path: Path) -> Generator[Progress, None, tuple[Path, Image.Image | None]]:
    """A picture of a few pixels for a list; None where it cannot be read."""
    from latmix.errors import PictureError
    from latmix.images import read_picture

    yield Progress("tile", 0, 1)
    try:
        picture = read_picture(path, at_least=TILE_SIDE)
    except PictureError:
        return path, None
    picture.thumbnail((TILE_SIDE, TILE_SIDE))
    return path, picture


def save_session(path: Path, content: Mapping[str, Any]) -> Generator[Progress, None, None]:
    """Write what `Session.content` gave.

    Raises:
        StoreError: it cannot be written.
    """
    from latmix.disk import write_json_durably

    yield Progress("save", 0, 1)
    write_json_durably(path, content)


def _entry(folder: Path, count: bool) -> FolderEntry:
    from latmix.images import SUFFIXES

    pictures, has_folders = 0, False
    try:
        with os.scandir(folder) as found:
            for entry in found if count else ():
                if entry.name.startswith("."):
                    continue
                if entry.name.lower().endswith(SUFFIXES):
                    pictures += 1
                elif not has_folders:
                    has_folders = _is_shown_folder(entry)
    except OSError:
        return FolderEntry(folder, _shown(folder.name), None, False)
    return FolderEntry(
        folder, _shown(folder.name), pictures if count else None, has_folders or not count
    )


def _is_shown_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return not entry.name.startswith(".") and entry.is_dir()
    except OSError:
        return False


def _shown(path: Path | str) -> str:
    from latmix.names import display_name

    return display_name(path)
