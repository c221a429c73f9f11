"""Frames as one moving picture: GIF or animated WebP, by Pillow. Needs no matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from latmix.images.png import write_whole

SUFFIXES = (".gif", ".webp")

MILLISECONDS = 50
"""Time that a frame is shown."""

COLOURS = 128
"""Of a GIF's one palette: more flicker from frame to frame."""


def write_animation(frames: Sequence[Image.Image], path: Path) -> None:
    """Write RGB frames of one size, to be shown over and over.

    Raises:
        ValueError: no frame, or another suffix.
        LatmixError: the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES or not frames:
        raise ValueError(f"an animation has frames and ends in {' or '.join(SUFFIXES)}.")
    shown, options = list(frames), {"lossless": True}
    if suffix == ".gif":
        palette = frames[0].quantize(COLOURS, Image.Quantize.FASTOCTREE)
        shown = [f.quantize(palette=palette, dither=Image.Dither.NONE) for f in frames]
        options = {"optimize": False}
    buffer = io.BytesIO()
    shown[0].save(
        buffer,
        suffix.removeprefix("."),
        save_all=True,
        append_images=shown[1:],
        duration=MILLISECONDS,
        loop=0,
        **options,
    )
    write_whole(buffer.getvalue(), path)
