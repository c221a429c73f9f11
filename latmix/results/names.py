"""What the file of a result is called where nobody says. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path


def free_name(path: Path) -> Path:
    """The path, or, where it is taken, the same with the first free -2, -3, ... at its end."""
    others = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return next(free for free in chain([path], others) if not free.exists())


def output_name(images: Sequence[Path], method: str) -> str:
    """A result's name: the pictures' folder, the method and N."""
    named = method.replace("/", "-").replace(":", "")
    return f"{folder_name(images)}-{named}-n{len(images)}.png"


def folder_name(images: Sequence[Path]) -> str:
    """The name of the pictures' folder, fit for a file; "mixture" where there are several."""
    folders = {image.resolve().parent.name for image in images}
    folder = folders.pop() if len(folders) == 1 else "mixture"
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in folder).strip("-") or "mixture"
    return kept[:80]
