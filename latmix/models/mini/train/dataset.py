"""The data set: one file with every picture's artwork, what it shows, and the tokenizer.

A zip of `pictures.tsv`, lossless WebP sheets of premultiplied RGBA artwork, and `tokenizer/`. It is
small enough to carry to a machine without network, and the same bytes come of the same artwork.
"""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from latmix.models.mini.train import captions
from latmix.models.mini.train.checkpoints import digest_of
from latmix.models.mini.train.subjects import PAINTED, SEEN, UPRIGHT

SIDE = 72
"""Pixels along a side of the stored artwork, which fills its square; pictures have 64."""

COLUMNS = 32
"""Pictures in a row of a sheet; a sheet is square."""

VOCABULARY = 3072


@dataclass(frozen=True)
class Picture:
    """One emoji by one artist.

    Attributes:
        code, name, category, identity: as in `subjects.Subject`.
        artwork: the set it is from: noto, twemoji or fluent.
        held_out: "yes" where it is kept out of training.
    """

    code: str
    name: str
    category: str
    identity: str
    artwork: str
    held_out: str


@dataclass(frozen=True)
class Dataset:
    """P pictures, in the order of their table.

    Attributes:
        pictures: what each shows.
        artwork: premultiplied RGBA, (P, 4, SIDE, SIDE) uint8.
        tokenizer: a CLIPTokenizer.
        digest: of the file.
    """

    pictures: tuple[Picture, ...]
    artwork: Tensor
    tokenizer: Any
    digest: str

    @cached_property
    def held_out(self) -> Tensor:
        """(P,) bool."""
        return torch.tensor([picture.held_out == "yes" for picture in self.pictures])

    @cached_property
    def mirrors(self) -> Tensor:
        """Which pictures may be mirrored, (P,) bool."""
        return torch.tensor([picture.category not in UPRIGHT for picture in self.pictures])

    @cached_property
    def seen(self) -> Tensor:
        """How often the autoencoder draws each picture, (P,) float32; 0 for held-out ones."""
        rows = [SEEN.get(picture.category, 1.0) for picture in self.pictures]
        return torch.tensor(rows) * ~self.held_out

    @cached_property
    def painted(self) -> Tensor:
        """How often the denoiser draws each picture, (P,) float32; 0 for held-out ones."""
        rows = [PAINTED.get(picture.category, 0.0) for picture in self.pictures]
        return torch.tensor(rows) * ~self.held_out

    @cached_property
    def caption_tokens(self) -> Tensor:
        """Every caption once, (heads * tails + 1, LENGTH) int64; the last is the empty one."""
        texts = [head + tail for head in self._heads for tail in captions.TAILS]
        return captions.tokenise(self.tokenizer, [*texts, ""])

    @cached_property
    def caption_rows(self) -> Tensor:
        """Row of `caption_tokens` of each picture's heads without a tail, (P, kinds) int64.

        The row with tail k is k rows further.
        """
        place = {head: i * len(captions.TAILS) for i, head in enumerate(self._heads)}
        return torch.tensor([[place[head] for head in row] for row in self._heads_of_pictures])

    @cached_property
    def _heads_of_pictures(self) -> list[tuple[str, ...]]:
        return [captions.heads(p.name, p.category, p.artwork) for p in self.pictures]

    @cached_property
    def _heads(self) -> list[str]:
        return list(dict.fromkeys(head for row in self._heads_of_pictures for head in row))


def write_dataset(
    path: Path,
    pictures: Sequence[Picture],
    artwork: Iterable[Image.Image],
    vocabulary: int = VOCABULARY,
) -> None:
    """Write a data set and the tokenizer that its captions make.

    Args:
        artwork: of each picture: premultiplied RGBA, SIDE x SIDE, in mode "RGBA".
        vocabulary: tokens at most.
    """
    texts = [h for p in pictures for h in captions.heads(p.name, p.category, p.artwork)]
    texts += captions.TAILS
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as file, tempfile.TemporaryDirectory() as work:
        _add(file, "pictures.tsv", _table(pictures))
        for number, sheet in enumerate(_sheets(list(artwork))):
            content = io.BytesIO()
            sheet.save(content, "WEBP", lossless=True, exact=True, quality=100, method=4)
            _add(file, f"sheet-{number:02}.webp", content.getvalue())
        captions.build_tokenizer(texts, vocabulary).save_pretrained(work)
        for part in sorted(Path(work).glob("*.json")):
            _add(file, f"tokenizer/{part.name}", part.read_bytes())
    partial.replace(path)


def read_dataset(path: Path) -> Dataset:
    """Read what `write_dataset` wrote.

    Raises:
        ValueError: the sheets do not hold as many pictures as the table.
    """
    with zipfile.ZipFile(path) as file, tempfile.TemporaryDirectory() as work:
        names = sorted(file.namelist())
        file.extractall(work, [name for name in names if name.startswith("tokenizer/")])
        tokenizer = captions.read_tokenizer(Path(work) / "tokenizer")
        table = io.StringIO(file.read("pictures.tsv").decode())
        pictures = tuple(Picture(**row) for row in csv.DictReader(table, delimiter="\t"))
        sheets = [file.read(name) for name in names if name.startswith("sheet-")]
    artwork = torch.cat([_cut(Image.open(io.BytesIO(sheet))) for sheet in sheets])
    if len(artwork) < len(pictures):
        raise ValueError(f"{path} has {len(artwork)} pictures, but its table {len(pictures)}.")
    artwork = artwork[: len(pictures)].contiguous()
    return Dataset(pictures, artwork, tokenizer, digest_of(path))


def _add(file: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a member whose bytes do not depend on the clock."""
    kind = zipfile.ZIP_STORED if name.endswith(".webp") else zipfile.ZIP_DEFLATED
    file.writestr(zipfile.ZipInfo(name), content, compress_type=kind)


def _table(pictures: Sequence[Picture]) -> bytes:
    text = io.StringIO()
    names = [field.name for field in fields(Picture)]
    writer = csv.DictWriter(text, names, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(picture) for picture in pictures)
    return text.getvalue().encode()


def _sheets(artwork: Sequence[Image.Image]) -> Iterable[Image.Image]:
    for first in range(0, len(artwork), COLUMNS**2):
        sheet = Image.new("RGBA", (COLUMNS * SIDE, COLUMNS * SIDE))
        for place, picture in enumerate(artwork[first : first + COLUMNS**2]):
            sheet.paste(picture, (place % COLUMNS * SIDE, place // COLUMNS * SIDE))
        yield sheet


def _cut(sheet: Image.Image) -> Tensor:
    """A sheet's pictures, (COLUMNS^2, 4, SIDE, SIDE) uint8."""
    flat = torch.frombuffer(bytearray(sheet.convert("RGBA").tobytes()), dtype=torch.uint8)
    grid = flat.reshape(COLUMNS, SIDE, COLUMNS, SIDE, 4)
    return grid.permute(0, 2, 4, 1, 3).reshape(-1, 4, SIDE, SIDE)
