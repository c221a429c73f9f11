"""The npm packages that everything built in is made from, pinned by content.

The demo pictures and the training of the models read the same artwork. Fetching needs `npm` and a
network.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

VISIBLE_ALPHA = 16
"""Soft shadows and glows below this alpha do not count as artwork when it is centred."""


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
