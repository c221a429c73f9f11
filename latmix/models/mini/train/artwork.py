"""The stage `data`: fetch the pinned npm packages, frame the artwork, write the data set.

Needs a network and `npm`, as the stage `demo` does; the others do not.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from latmix.models.mini.train.dataset import SIDE, Picture, write_dataset
from latmix.models.mini.train.packages import SETS, VISIBLE_ALPHA, ArtworkSet, read_members
from latmix.models.mini.train.subjects import (
    GROUPS_MEMBER,
    NAMES,
    NAMES_MEMBER,
    Subject,
    plain_code,
    read_subjects,
)

SKIN_TONE = re.compile("-1f3f[b-f]")


def build_dataset(path: Path) -> tuple[Picture, ...]:
    """Fetch, frame and write everything; returns the pictures' table."""
    with tempfile.TemporaryDirectory() as work:
        files = read_members(NAMES.fetch(Path(work)), {NAMES_MEMBER, GROUPS_MEMBER}.__contains__)
        subjects = read_subjects(files)
        rows: list[tuple[Picture, Image.Image]] = []
        for name, artwork_set in SETS.items():
            found = read_set(artwork_set, subjects, Path(work))
            rows += ((picture_of(subject, name), image) for subject, image in found)
    pictures = tuple(picture for picture, _ in rows)
    write_dataset(path, pictures, [image for _, image in rows])
    return pictures


def picture_of(subject: Subject, artwork: str) -> Picture:
    """The table's row of a subject in an artwork set."""
    held_out = "yes" if subject.is_held_out else "no"
    return Picture(
        subject.code, subject.name, subject.category, subject.identity, artwork, held_out
    )


def read_set(
    artwork_set: ArtworkSet, subjects: dict[str, Subject], work: Path
) -> Iterator[tuple[Subject, Image.Image]]:
    """The framed artwork of a set, skin tones and emoji without a name left out, by code."""
    before, _, after = artwork_set.member.partition("{code}")

    def code(member: str) -> str:
        return plain_code(member.removeprefix(before).removesuffix(after))

    def is_wanted(member: str) -> bool:
        return member.startswith(before) and not SKIN_TONE.search(code(member))

    files = read_members(artwork_set.fetch(work), is_wanted)
    by_code = {code(member): content for member, content in sorted(files.items())}
    for key in sorted(by_code.keys() & subjects.keys()):
        image = frame(Image.open(io.BytesIO(by_code[key])))
        if image is not None:
            yield subjects[key], image


def frame(artwork: Image.Image) -> Image.Image | None:
    """The visible part of the artwork, centred and filling a square; None where nothing is seen.

    Returns:
        SIDE x SIDE, premultiplied RGBA in mode "RGBA", so that colours under transparent pixels
        cannot bleed in when it is resized or laid on a background.
    """
    artwork = artwork.convert("RGBA")
    visible = artwork.getchannel("A").point(lambda alpha: 255 * (alpha >= VISIBLE_ALPHA)).getbbox()
    if visible is None:
        return None
    left, top, right, bottom = visible
    side, border = max(right - left, bottom - top), max(artwork.size)
    canvas = Image.new("RGBa", (artwork.width + 2 * border, artwork.height + 2 * border))
    canvas.paste(artwork.convert("RGBa"), (border, border))
    x, y = (left + right - side) / 2 + border, (top + bottom - side) / 2 + border
    box = (x, y, x + side, y + side)
    small = canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box)
    return Image.frombytes("RGBA", small.size, small.tobytes())
