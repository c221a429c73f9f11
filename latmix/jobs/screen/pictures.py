"""Pictures for a screen, no larger than it can show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

SHOWN_SIDE = 320
"""Pixels of a picture that is handed to a screen: more than any terminal has half-blocks for."""


def for_screen(picture: Image.Image) -> Image.Image:
    """The picture, no larger than a screen of half-blocks needs."""
    factor = max(picture.size) // SHOWN_SIDE
    return picture.reduce(factor) if factor > 1 else picture


def read_for_screen(path: Path) -> Image.Image:
    """A picture, small.

    Raises:
        PictureError: it cannot be read.
    """
    from latmix.images.pictures import read_picture

    return for_screen(read_picture(path, at_least=SHOWN_SIDE))


def read_small(path: Path, side: int) -> Image.Image | None:
    """A picture of a few pixels, for a row of them; None where it cannot be read."""
    from latmix.errors import PictureError
    from latmix.images.pictures import read_picture

    try:
        picture = read_picture(path, at_least=side)
    except PictureError:
        return None
    picture.thumbnail((side, side))
    return picture
