"""Find, read, fit and write pictures. Every room may call this; it knows no models and no torch.

Pictures come from strangers: a file may be cut short, lie about its size, or be no picture. All
reading is of regular files only, with the size checked before a pixel is decoded, and everything
that goes wrong with one picture is a `PictureError`, so that the others can still be used.
Pixels come out one way whatever went in: RGB, 8 bits, upright, sRGB, without transparency.
"""

from latmix.images.files import content_hash, read_sidecar
from latmix.images.folders import SUFFIXES, find_pictures, natural_key
from latmix.images.pictures import read_picture
from latmix.images.pixels import FITS, fit_picture
from latmix.images.png import (
    MADE_HERE,
    check_writable,
    origin,
    read_text,
    write_png,
    write_whole,
)

__all__ = [
    "FITS",
    "MADE_HERE",
    "SUFFIXES",
    "check_writable",
    "content_hash",
    "find_pictures",
    "fit_picture",
    "natural_key",
    "origin",
    "read_picture",
    "read_sidecar",
    "read_text",
    "write_png",
    "write_whole",
]
