"""The files of a model folder: which are there, whether they can be used. Needs no torch.

Only safetensors and JSON are ever read, so that a model can carry no code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latmix import disk
from latmix.errors import ModelError
from latmix.names import display_name

PICKLES = ("*.bin", "*.ckpt", "*.pt", "*.pth")


def named_class(named: object) -> str:
    """The class that an index names for a part ([library, class]), or nothing."""
    return str(named[1] or "") if isinstance(named, list) and len(named) == 2 else ""


def place(folder: Path, part: str) -> Path:
    """Where a part's files are: in a folder of its name, or all in one, as old DDPMs have them."""
    is_flat = (folder / "config.json").is_file() and not (folder / part).is_dir()
    return folder if is_flat else folder / part


def check_part(
    folder: Path, part: str, known: Sequence[str], named: object, is_elsewhere: bool = False
) -> None:
    """Check a part that has weights.

    Args:
        is_elsewhere: its weights are in a file of their own, only its configuration is here.

    Raises:
        ModelError: it is of another class than those known, or files are missing or refused.
    """
    shown = display_name(folder)
    actual = named_class(named)
    if not actual:
        raise incomplete(folder, f"its model_index.json names no {part}.")
    if actual not in known:
        raise ModelError(
            f"{shown} names {display_name(actual)} as its {part}, not {' or '.join(known)}.",
            "latmix runs no code that comes with a model.",
        )
    home = place(folder, part)
    if not (home / "config.json").is_file():
        raise incomplete(folder, f"{part}/config.json is missing.")
    if is_elsewhere:
        return
    _check_shards(home, shown)
    if weights(home, None) or weights(home, "fp16"):
        return
    pickles = [p.name for kind in PICKLES for p in home.glob(kind)]
    if pickles:
        first = display_name(min(pickles))
        raise pickled(f"{shown} has its {part} only as a pickle ({first})")
    raise ModelError(
        f"{shown} has no weights for its {part}: no .safetensors file is in {part}/.",
        "Fetch the model again.",
    )


def check_tokenizer(folder: Path, part: str) -> None:
    """Check that a tokenizer's files are there.

    Raises:
        ModelError: they are not.
    """
    names = ("tokenizer.json", "vocab.json", "spiece.model")
    if not any((folder / part / name).is_file() for name in names):
        raise incomplete(folder, f"its {part} is missing.")


def pickled(what: str) -> ModelError:
    """The error to raise for a pickle, said as the first half of a sentence."""
    return ModelError(
        f"{what}, and a pickle can run code when it is read.",
        "latmix reads safetensors only: fetch a safetensors version or convert it first.",
    )


def incomplete(folder: Path, what: str) -> ModelError:
    """The error to raise for a model folder that is not whole."""
    return ModelError(f"{display_name(folder)} is incomplete: {what}", "Fetch it again.")


def check_channels(config: Mapping[str, Any], expected: int, shown: str) -> None:
    """Check that the denoiser takes the channels that the autoencoder makes.

    Raises:
        ModelError: it takes more, as an inpainting model does, or others.
    """
    actual = config.get("in_channels", expected)
    if actual != expected:
        raise ModelError(
            f"{shown} takes {actual} channels where its pictures have {expected}: it is made for "
            "another task (inpainting, depth, upscaling), or its parts do not fit together.",
            "Use a text-to-image model.",
        )


def weights(folder: Path, variant: str | None) -> list[Path]:
    """The safetensors files of a part: the plain ones, or those of a variant."""
    files = sorted(folder.glob("*.safetensors"))
    marked = [path for path in files if ".fp16" in path.name]
    if variant:
        return [path for path in marked if f".{variant}" in path.name]
    return [path for path in files if path not in marked and ".non_ema" not in path.name]


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ModelError: it cannot be read, or is something else.
    """
    try:
        content = disk.read_json(path)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{display_name(path)} cannot be read as JSON ({type(error).__name__}).",
            "Fetch the model again.",
        ) from error
    if not isinstance(content, dict):
        raise ModelError(f"{display_name(path)} is not a JSON object.", "Fetch the model again.")
    return content


def cached_folder(repository: str, file: str) -> Path | None:
    """Where the newest snapshot of a hub repository, which has a file, is in the hub's cache on
    this machine; asks no network."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repository, file)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def first_line(error: Exception) -> str:
    """What a library says is wrong, in one line."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]


def file_digest(path: Path) -> bytes:
    """A digest of a file's bytes.

    Raises:
        ModelError: it cannot be read.
    """
    from blake3 import blake3

    digest = blake3(max_threads=blake3.AUTO)
    try:
        digest.update_mmap(path)
    except OSError as error:
        raise ModelError(f"{display_name(path)} cannot be read: {error.strerror}.") from error
    return digest.digest()


def _check_shards(folder: Path, shown: str) -> None:
    """Check that all files which a part's weights are spread over are there."""
    for index in folder.glob("*.safetensors.index.json"):
        if ".fp16" in index.name:
            continue
        spread = read_json(index).get("weight_map")
        names = sorted(set(map(str, spread.values()))) if isinstance(spread, dict) else []
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise ModelError(
                f"{shown} is incomplete: {folder.name}/{display_name(missing[0])} is missing.",
                "Fetch it again: what is there is kept.",
            )
