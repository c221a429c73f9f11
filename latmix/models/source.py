"""Where a model's files are, whether they can be used, and their fingerprint. Needs no torch.

A source is a folder in diffusers format: inside the package, named by the user, or in the hub's
cache on this machine. Nothing is downloaded here, and only safetensors and JSON are ever read, so a
model can carry no code.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from latmix.errors import ModelError
from latmix.models import catalogue
from latmix.names import display_name

FAMILIES = ("StableDiffusionPipeline",)
"""Pipeline classes that latmix loads, by the name in `model_index.json`."""

NETWORKS = {
    "unet": "UNet2DConditionModel",
    "vae": "AutoencoderKL",
    "text_encoder": "CLIPTextModel",
}
"""The parts of a Stable Diffusion folder that have weights, and the one class each may be."""


@dataclass(frozen=True)
class ModelSource:
    """A checked model folder.

    Attributes:
        name: as the user knows it: a catalogue name, a hub id or a folder.
        folder: diffusers format, on this machine.
        family: the pipeline class of its `model_index.json`.
        guidance: what suits it when generating.
    """

    name: str
    folder: Path
    family: str
    guidance: float

    @cached_property
    def channels(self) -> int:
        """Latent channels."""
        return int(self._config("vae").get("latent_channels", 4))

    @cached_property
    def cell(self) -> int:
        """Pixels along one side of a latent cell: sizes must be multiples of it."""
        return int(2 ** (len(self._config("vae").get("block_out_channels", [0] * 4)) - 1))

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels that the network was trained on."""
        side = self._config("unet").get("sample_size", 64)
        height, width = side if isinstance(side, list) else (side, side)
        return int(width) * self.cell, int(height) * self.cell

    def latent_shape(self, size: tuple[int, int]) -> tuple[int, int, int]:
        """(C, H, W) of the latents of pictures of a size (width, height) in pixels.

        Raises:
            ValueError: a side is not a positive multiple of `cell`.
        """
        width, height = size
        if width <= 0 or height <= 0 or width % self.cell or height % self.cell:
            raise ValueError(
                f"size must be multiples of {self.cell} pixels for {self.name}, "
                f"not {width}x{height}."
            )
        return self.channels, height // self.cell, width // self.cell

    @cached_property
    def scheduler(self) -> dict[str, Any]:
        """The scheduler's JSON."""
        return _read_json(self.folder / "scheduler" / "scheduler_config.json")

    @cached_property
    def fingerprint(self) -> str:
        """32 hex digits that change when any file the network reads changes."""
        from blake3 import blake3

        digest = blake3()
        for path in self._files():
            digest.update(f"{path.relative_to(self.folder).as_posix()}\0".encode())
            digest.update(_file_digest(path))
        return digest.hexdigest(length=16)

    @cached_property
    def variant(self) -> str | None:
        """The weight files' variant: None, or "fp16" where only half-precision files are there."""
        plain = all(_weights(self.folder / part, None) for part in NETWORKS)
        return None if plain else "fp16"

    def _config(self, part: str) -> dict[str, Any]:
        return _read_json(self.folder / part / "config.json")

    def _files(self) -> list[Path]:
        chosen = [path for part in NETWORKS for path in _weights(self.folder / part, self.variant)]
        for part in (*NETWORKS, "tokenizer", "scheduler"):
            chosen += (self.folder / part).glob("*.json")
            chosen += (self.folder / part).glob("*.txt")
        return sorted(chosen)


def find_model(name: str, configured: str = "") -> ModelSource:
    """The checked source of a catalogue name, a hub id, a folder in diffusers format, or `auto`.

    Args:
        configured: what `auto` stands for when it is on this machine; else the built-in model.

    Raises:
        ModelError: unknown, not on this machine, incomplete, or refused; the sentence says which.
    """
    if name == "auto":
        try:
            return find_model(configured or catalogue.BUILT_IN)
        except ModelError:
            return find_model(catalogue.BUILT_IN)
    entry = catalogue.find_entry(name)
    guidance = entry.guidance if entry else 7.5
    if entry and not entry.repository:
        return _checked(entry.name, catalogue.built_in_folder(), guidance)
    folder = Path(name).expanduser()
    if entry is None and (folder.exists() or _looks_like_path(name)):
        return _checked(display_name(name), folder, guidance)
    repository = entry.repository if entry else name
    cached = _cached_snapshot(repository)
    if cached is not None:
        return _checked(name, cached, guidance)
    if entry is None and repository.count("/") != 1:
        near = catalogue.nearest(name)
        raise ModelError(
            f"No model is called {display_name(name)}.",
            (f"Did you mean {' or '.join(near)}? " if near else "")
            + "Name one of `latmix models list`, a hub id (owner/name), or a folder.",
        )
    raise ModelError(
        f"The model {display_name(name)} is not on this machine.",
        f"Download it with `latmix models pull {display_name(name)}`, or use --model mini.",
    )


def _looks_like_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or (os.sep in name and name.count("/") != 1)


def _cached_snapshot(repository: str) -> Path | None:
    """The newest snapshot of a hub repository in the hub's cache; asks no network."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        index = try_to_load_from_cache(repository, "model_index.json")
    except HFValidationError:
        return None
    return Path(index).parent if isinstance(index, str) else None


def _checked(name: str, folder: Path, guidance: float) -> ModelSource:
    """The source of a folder, after everything that can be checked without loading it."""
    shown = display_name(folder)
    if not folder.is_dir():
        raise ModelError(f"There is no model folder {shown}.", "Check the path given to --model.")
    index_file = folder / "model_index.json"
    if not index_file.is_file():
        raise ModelError(
            f"{shown} is not a model folder: it has no model_index.json.",
            "latmix reads folders in diffusers format.",
        )
    index = _read_json(index_file)
    family = str(index.get("_class_name"))
    if family not in FAMILIES:
        raise ModelError(
            f"{shown} is a {display_name(family)}, which latmix cannot use.",
            f"Supported: {', '.join(FAMILIES)}.",
        )
    for part, wanted in NETWORKS.items():
        _check_part(folder, part, wanted, index.get(part))
    return ModelSource(name, folder, family, guidance)


def _check_part(folder: Path, part: str, wanted: str, named: object) -> None:
    shown = display_name(folder)
    actual = named[1] if isinstance(named, list) and len(named) == 2 else None
    if actual != wanted:
        raise ModelError(
            f"{shown} names {display_name(str(actual))} as its {part}, not {wanted}.",
            "latmix runs no code that comes with a model.",
        )
    if not (folder / part / "config.json").is_file():
        raise ModelError(
            f"{shown} is incomplete: {part}/config.json is missing.", "Fetch it again."
        )
    if _weights(folder / part, None) or _weights(folder / part, "fp16"):
        return
    pickles = [p.name for kind in ("*.bin", "*.ckpt", "*.pt") for p in (folder / part).glob(kind)]
    if pickles:
        raise ModelError(
            f"{shown} has its {part} only as a pickle ({display_name(sorted(pickles)[0])}), "
            "and a pickle can run code when it is read.",
            "latmix reads safetensors only: fetch a safetensors version or convert it first.",
        )
    raise ModelError(
        f"{shown} has no weights for its {part}: no .safetensors file is in {part}/.",
        "Fetch the model again.",
    )


def _weights(folder: Path, variant: str | None) -> list[Path]:
    """The safetensors files of a part: the plain ones, or those of a variant."""
    files = sorted(folder.glob("*.safetensors"))
    marked = [path for path in files if ".fp16" in path.name]
    if variant:
        return [path for path in marked if f".{variant}" in path.name]
    return [path for path in files if path not in marked and ".non_ema" not in path.name]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{display_name(path)} cannot be read as JSON ({type(error).__name__}).",
            "Fetch the model again.",
        ) from error
    if not isinstance(content, dict):
        raise ModelError(f"{display_name(path)} is not a JSON object.", "Fetch the model again.")
    return content


def _file_digest(path: Path) -> bytes:
    """A digest of a file's bytes."""
    from blake3 import blake3

    digest = blake3(max_threads=blake3.AUTO)
    try:
        digest.update_mmap(path)
    except OSError as error:
        raise ModelError(f"{display_name(path)} cannot be read: {error.strerror}.") from error
    return digest.digest()
