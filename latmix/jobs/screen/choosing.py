"""What can be chosen: models, with what a fetch would cost, and pictures' prompts.

Short, off the screen's thread. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from latmix.errors import LatmixError, ModelError, StoreError
from latmix.jobs.progress import Progress
from latmix.names import display_name


@dataclass(frozen=True)
class ModelChoice:
    """A model one could use.

    Attributes:
        name: for `--model`.
        is_here: whether it is on this machine.
        note: what it is, and how large where it must be fetched.
        fault: why it cannot be used although it is here, or nothing.
    """

    name: str
    is_here: bool
    pixels: int
    licence: str
    note: str
    fault: str = ""

    @property
    def pull_command(self) -> str:
        return f"latmix models pull {self.name}"


@dataclass(frozen=True)
class Prompts:
    """A picture's own prompt, and how many of the mixture's have one."""

    own: str | None
    sidecars: int


def list_models(*further: str) -> Generator[Progress, None, tuple[ModelChoice, ...]]:
    """The catalogue, what else the hub's cache holds, and further names.

    Args:
        further: names, hub ids or folders that are in use or configured.
    """
    from latmix.models.catalogue import CATALOGUE

    choices: list[ModelChoice] = []
    names = {entry.name: entry for entry in CATALOGUE}
    known = {entry.repository for entry in CATALOGUE}
    others = [name for name in (*further, *_cached()) if name not in known]
    for name in dict.fromkeys([*names, *others]):
        if name in ("", "auto"):
            continue
        yield Progress("models", len(choices), 0)
        note, licence, pixels = "found on this machine", "its own", 0
        if entry := names.get(name):
            note, licence, pixels = entry.note, entry.licence, entry.pixels
        is_here, fault = _look_for(name)
        choices.append(ModelChoice(name, is_here, pixels, licence, note, fault))
    return tuple(choices)


def read_prompts(path: Path | None, mixed: Sequence[Path]) -> Generator[Progress, None, Prompts]:
    """The prompt that lies beside a picture, and how many pictures have one."""
    from latmix.images.files import read_sidecar

    own, count = None, 0
    for at, picture in enumerate(dict.fromkeys([*([path] if path else []), *mixed])):
        yield Progress("prompts", at, len(mixed))
        try:
            found = read_sidecar(picture)
        except LatmixError:
            found = None
        own = found if picture == path else own
        count += found is not None and picture in mixed
    return Prompts(own, count)


def write_sidecar(path: Path, prompt: str) -> None:
    """Put a picture's own prompt beside it; without text the file goes.

    Raises:
        StoreError: it cannot be written, or the picture is one of latmix's own.
    """
    import latmix
    from latmix.disk import explained, write_durably

    if Path(latmix.__file__).parent in path.resolve().parents:
        raise StoreError(
            "The built-in pictures share one prompt.", "Copy them into a folder of your own."
        )
    place = path.with_suffix(".txt")
    if prompt:
        write_durably(place, [f"{prompt}\n".encode()])
    else:
        with explained(place.parent):
            place.unlink(missing_ok=True)


def _look_for(name: str) -> tuple[bool, str]:
    """Whether a model is here, and what is wrong with it if something is."""
    from latmix.models.source import find_model

    try:
        find_model(name)
    except ModelError as error:
        return False, "" if "not on this machine" in error.message else error.message
    return True, ""


def _cached() -> list[str]:
    """Ids in the hub's cache that hold a pipeline."""
    from huggingface_hub import constants

    places = Path(constants.HF_HUB_CACHE).glob("models--*--*/snapshots/*/model_index.json")
    names = {place.parents[2].name.removeprefix("models--").replace("--", "/") for place in places}
    return sorted(display_name(name) for name in names)
