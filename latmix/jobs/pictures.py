"""A picture as jobs know it: by its content and its prompt, or by why it was left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from latmix.errors import PictureError
from latmix.images.files import content_hash, read_sidecar
from latmix.store.latents import row_key


@dataclass(frozen=True)
class PictureRow:
    """A picture that has, or will have, a latent.

    Attributes:
        sha256: of the file's bytes: the same picture under two names is inverted once.
        prompt: what it was inverted with.
    """

    path: Path
    sha256: str
    prompt: str

    @property
    def key(self) -> str:
        """Of its latent within a space of the store."""
        return row_key(self.sha256, self.prompt)


@dataclass(frozen=True)
class Failure:
    """A picture that was left out, and why."""

    path: Path
    reason: str


def look_up(picture: Path | PictureRow, template: str) -> PictureRow | PictureError:
    """A picture with its content and prompt; why it cannot be used where it cannot be read."""
    if isinstance(picture, PictureRow):
        return picture
    try:
        return PictureRow(picture, content_hash(picture), prompt_for(picture, template))
    except PictureError as error:
        return error


def prompt_for(path: Path, template: str) -> str:
    """The prompt that a picture is inverted with: its sidecar `name.txt`, else the template.

    `{name}` becomes the file's name without its ending, `{folder}` its folder's name.
    """
    beside = read_sidecar(path)
    if beside is not None:
        return beside
    folder = path.resolve().parent.name
    filled = template.replace("{name}", path.stem).replace("{folder}", folder)
    return filled.encode("utf-8", "backslashreplace").decode()
