"""The stage `demo`: make the demo pictures again, from the packages the training reads.

Run it after editing `demo.tsv`, which names every picture and the code points of its emoji; the
artwork set is the last word of the picture's name. Without network it fails before it changes
anything. What it makes depends only on the pinned packages, the table and the version of Pillow.
"""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from PIL import Image

from latmix import demo
from latmix.models.mini.train.packages import SETS, VISIBLE_ALPHA, read_members

TARGET = Path(demo.__file__).parent
TABLE = Path(__file__).parent / "demo.tsv"
SIZE = 128
MARGIN = 6
# Lanczos rings faintly around the artwork; from here up a channel is made plain white.
NEARLY_WHITE = 252


def read_table(path: Path = TABLE) -> dict[str, str]:
    """The pictures to make: relative path -> code points as lower-case hex, joined by "-"."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["picture"]: row["code"] for row in csv.DictReader(file, delimiter="\t")}


def set_of(picture: str) -> str:
    """The artwork set of a picture: the last word of its name."""
    return Path(picture).stem.rpartition("-")[2]


def frame(artwork: Image.Image) -> Image.Image:
    """Centre the visible part of the artwork on white, filling the square but for the margin.

    Composited before it is resized, so that the colours under transparent pixels cannot bleed in.
    """
    artwork = artwork.convert("RGBA")
    visible = artwork.getchannel("A").point(lambda alpha: 255 * (alpha >= VISIBLE_ALPHA)).getbbox()
    if visible is None:
        raise ValueError("the artwork is empty")
    left, top, right, bottom = visible
    side = max(right - left, bottom - top) * SIZE / (SIZE - 2 * MARGIN)
    border = max(artwork.size)
    white = Image.new("RGB", (artwork.width + 2 * border, artwork.height + 2 * border), "white")
    white.paste(artwork, (border, border), artwork)
    x, y = (left + right - side) / 2 + border, (top + bottom - side) / 2 + border
    box = (x, y, x + side, y + side)
    picture = white.resize((SIZE, SIZE), Image.Resampling.LANCZOS, box=box)
    return picture.point(lambda value: 255 if value >= NEARLY_WHITE else value)


def read_artwork(name: str, pictures: dict[str, str], work: Path) -> dict[str, Image.Image]:
    """Fetch one artwork set and frame the pictures that are made from it."""
    artwork_set = SETS[name]
    # Sets differ in whether they keep the variation selector in file names.
    spellings = {
        picture: [artwork_set.member.format(code=c) for c in (code, code.replace("-fe0f", ""))]
        for picture, code in pictures.items()
    }
    wanted = {member for members in spellings.values() for member in members}
    files = read_members(artwork_set.fetch(work), wanted.__contains__)
    framed = {}
    for picture, members in spellings.items():
        content = next((files[member] for member in members if member in files), None)
        if content is None:
            raise ValueError(f"{artwork_set.package} has no {members[0]}, wanted for {picture}")
        framed[picture] = frame(Image.open(io.BytesIO(content)))
    return framed


def build(target: Path = TARGET) -> dict[str, int]:
    """Write every picture of the table under `target`, and remove those it no longer names.

    Returns: relative path -> bytes written.
    """
    table = read_table()
    framed: dict[str, Image.Image] = {}
    with tempfile.TemporaryDirectory() as work:
        for name in SETS:
            chosen = {picture: code for picture, code in table.items() if set_of(picture) == name}
            framed |= read_artwork(name, chosen, Path(work))
    if missing := table.keys() - framed.keys():
        raise ValueError(f"no artwork set is named at the end of {', '.join(sorted(missing))}")
    for old in target.glob("*/*.png"):
        if old.relative_to(target).as_posix() not in table:
            old.unlink()
    for picture, image in framed.items():
        path = target / picture
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, optimize=True)
    return {picture: (target / picture).stat().st_size for picture in table}
