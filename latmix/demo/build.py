"""Make the demo pictures again: `python -m latmix.demo.build`.

Not imported at run time: the pictures lie beside this file. Run it after editing `pictures.tsv`,
which names every picture and the code points of its emoji; the artwork set is the last word of
the picture's name. It needs `npm` and Pillow; without network it fails before it changes anything.
What it makes depends only on the pinned packages, the table and the version of Pillow. The training
recipe of the built-in model reads the same packages through `Package`, `SETS` and `read_members`.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
TABLE = HERE / "pictures.tsv"
SIZE = 128
MARGIN = 6
# Soft shadows and glows below this alpha do not count as artwork when it is centred.
VISIBLE_ALPHA = 16
# Lanczos rings faintly around the artwork; from here up a channel is made plain white.
NEARLY_WHITE = 252


@dataclass(frozen=True)
class Package:
    """One npm package, pinned by content."""

    package: str
    version: str
    licence: str
    integrity: str

    def fetch(self, folder: Path) -> Path:
        """Download the package with npm into `folder`; refuse any content but the pinned one."""
        spec = f"{self.package}@{self.version}"
        packed = subprocess.run(
            ["npm", "pack", spec, "--silent", "--pack-destination", str(folder)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        archive = folder / packed.stdout.split()[-1]
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != self.integrity:
            raise ValueError(f"{spec} is sha512-{digest}, but {self.integrity} is pinned")
        return archive


@dataclass(frozen=True)
class ArtworkSet(Package):
    """A package that carries emoji artwork: one file, `member`, for each emoji's code points."""

    member: str


# The licence is that of the artwork; emoji-datasource's own code and data are MIT.
SETS = {
    "noto": ArtworkSet(
        package="emoji-datasource-google",
        version="16.0.0",
        licence="Apache-2.0",
        integrity="sha512-ZRexfzs7MVoLnmzZmNsO4TKhnAJp5D++Vm6PpUpH/jEQ"
        "Qlemp3l88CjZ+DoZ2faM9R4QxZkOPJCoT8DlPhfQ3A==",
        member="package/img/google/64/{code}.png",
    ),
    "twemoji": ArtworkSet(
        package="emoji-datasource-twitter",
        version="16.0.0",
        licence="CC-BY-4.0",
        integrity="sha512-7F+uCuHH+7Qnrc15P5tnbvKkg9E6tlzi4MnT2uW1RlN4"
        "pLYTza6cP/dstIfSDMtpjFLWuZewWg8jBbuL2eyELQ==",
        member="package/img/twitter/64/{code}.png",
    ),
    "fluent": ArtworkSet(
        package="@lobehub/fluent-emoji-3d",
        version="1.1.0",
        licence="MIT",
        integrity="sha512-Wlq2lVStTnr8BDpIJ0pEnTKO4LuDxxqTEhTvRtD1DLRF"
        "0me7ogeRQjKoehDHXuVJ2Qaecgl5wRBv60lUAG3h7g==",
        member="package/assets/{code}.webp",
    ),
}


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


def read_members(archive: Path, is_wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The wanted files of a package, by name, in one pass: a .tgz cannot be read out of order."""
    found = {}
    with tarfile.open(archive) as members:
        for member in members:
            file = members.extractfile(member) if is_wanted(member.name) else None
            if file is not None:
                with file:
                    found[member.name] = file.read()
    return found


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


def build(target: Path = HERE) -> dict[str, int]:
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


def main() -> None:
    """Build in place and say what came of it."""
    sizes = build()
    for folder in sorted({Path(picture).parent.name for picture in sizes}):
        own = [size for picture, size in sizes.items() if picture.startswith(f"{folder}/")]
        print(f"{folder}: {len(own)} pictures, {sum(own):,} bytes", file=sys.stderr)
    print(f"together: {len(sizes)} pictures, {sum(sizes.values()):,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
