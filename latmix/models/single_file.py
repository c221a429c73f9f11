"""Checkpoints in one .safetensors file, with the names that the original programs gave weights.

Such a file holds weights only: configuration and tokenizers come from a folder of the same
architecture, its base. Reading what a file holds needs no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from latmix.disk import LARGEST, open_regular, parse_json
from latmix.errors import ModelError
from latmix.models.families import BASES, PREFIXES
from latmix.names import display_name

ENDING = ".safetensors"


@dataclass(frozen=True)
class SingleFile:
    """A checkpoint file and the names of its weights."""

    path: Path
    names: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> SingleFile:
        """What a file holds, from its first bytes.

        Raises:
            ModelError: it is not there, not safetensors, cut short, or holds no model.
        """
        shown = display_name(path)
        names = read_names(path)
        single = cls(path, names)
        if single.has("unet") or single.has("transformer"):
            return single
        if any("lora" in name for name in names):
            raise ModelError(
                f"{shown} is a LoRA, which changes a model and is none.", "Give it to --lora."
            )
        raise ModelError(
            f"{shown} holds no network that latmix knows.",
            "Use a checkpoint of Stable Diffusion or Flux, or a folder in diffusers format.",
        )

    def has(self, part: str) -> bool:
        """Whether it holds a part's weights."""
        return any(name.startswith(PREFIXES.get(part, ())) for name in self.names)

    @property
    def base(self) -> str:
        """The catalogue's model that it is likely a child of, or nothing."""
        likely = (base for prefix, base in BASES if any(n.startswith(prefix) for n in self.names))
        return next(likely, "")


def read_names(path: Path) -> tuple[str, ...]:
    """The names of the tensors in a safetensors file.

    Raises:
        ModelError: it is not there, not safetensors, or cut short.
    """
    shown = display_name(path)
    try:
        size = path.stat().st_size
        with open_regular(path) as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = parse_json(stream.read(length)) if length < min(size, LARGEST) else None
    except FileNotFoundError as error:
        raise ModelError(f"There is no file {shown}.", "Check the path.") from error
    except (OSError, ValueError) as error:
        raise _damaged(
            f"{shown} cannot be read as safetensors ({type(error).__name__})."
        ) from error
    if not isinstance(header, dict):
        raise _damaged(f"{shown} is not safetensors, or cut short.")
    tensors = {name: about for name, about in header.items() if name != "__metadata__"}
    try:
        end = max((int(about["data_offsets"][1]) for about in tensors.values()), default=0)
    except (TypeError, KeyError, ValueError, IndexError) as error:
        raise _damaged(f"{shown} is not safetensors: its header is damaged.") from error
    if size < 8 + length + end:
        raise _damaged(f"{shown} is cut short: {size} of {8 + length + end} bytes are there.")
    return tuple(tensors)


def _damaged(message: str) -> ModelError:
    return ModelError(message, "Fetch it again.")
