"""A tiny autoencoder, which shows large latents while a job is at work: a decoder of a few layers.

It takes latents as the denoiser does. The names and files need no torch.

Source: TAESD, github.com/madebyollin/taesd, in diffusers' AutoencoderTiny.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latmix.errors import ModelError
from latmix.models import catalogue
from latmix.models.files import cached_folder, first_line, read_json, weights
from latmix.models.model_source import ModelSource
from latmix.names import display_name

if TYPE_CHECKING:
    import torch
    from PIL import Image
    from torch import Tensor


@dataclass(frozen=True)
class TinySource:
    """A checked folder."""

    name: str
    folder: Path

    def load(self, device: torch.device) -> Callable[[Tensor], Image.Image]:
        """What shows a clean latent (C, H, W) as an RGB picture, in float32.

        Raises:
            ModelError: the files are damaged or do not fit together.
        """
        import torch

        from latmix.models.parts import import_class
        from latmix.models.pixels import to_pictures

        kind = import_class("AutoencoderTiny")
        try:
            network = kind.from_pretrained(self.folder, use_safetensors=True, local_files_only=True)
        except Exception as error:
            raise ModelError(
                f"The tiny autoencoder {self.name} cannot be loaded: {first_line(error)}",
                "Fetch it again.",
            ) from error
        network = network.eval().requires_grad_(False).to(device)

        def decode(clean: Tensor) -> Image.Image:
            with torch.no_grad():
                scaled = clean[None].to(device, torch.float32) / network.config.scaling_factor
                return to_pictures(network.decode(scaled).sample.clamp(-1, 1))[0]

        return decode


def find_tiny(name: str, source: ModelSource) -> TinySource:
    """The tiny autoencoder of a name, a hub id that is on this machine, or a folder.

    Raises:
        ModelError: it is not there, is something else, or has other latents than the model.
    """
    shown, folder = display_name(name), tiny_folder(name)
    config = read_json(folder / "config.json")
    if config.get("_class_name") != "AutoencoderTiny" or not weights(folder, None):
        raise ModelError(
            f"{shown} is not a tiny autoencoder with safetensors weights.",
            f"Name one of {', '.join(tiny.name for tiny in catalogue.TINY)}, or a folder.",
        )
    halvings = len(config.get("decoder_block_out_channels", [0] * 4)) - 1
    actual = (
        config.get("latent_channels", 4),
        config.get("upsampling_scaling_factor", 2) ** halvings,
    )
    expected = source.channels, source.cell
    if actual != expected:
        raise ModelError(
            f"{shown} shows latents of {actual[0]} channels and {actual[1]} pixels a cell; those "
            f"of {source.name} have {expected[0]} and {expected[1]}.",
            "Use the one made for the model, or none.",
        )
    return TinySource(shown, folder)


def tiny_for(source: ModelSource, named: str = "") -> TinySource | None:
    """The tiny autoencoder that is named, else its family's if that is on this machine.

    Raises:
        ModelError: the named one cannot be used.
    """
    if named:
        return find_tiny(named, source)
    for tiny in catalogue.TINY:
        if source.family.pipeline == tiny.family:
            with suppress(ModelError):
                return find_tiny(tiny.name, source)
    return None


def tiny_folder(name: str) -> Path:
    """The folder of a tiny autoencoder on this machine.

    Raises:
        ModelError: it is not there.
    """
    tiny = catalogue.find_entry(name, catalogue.TINY)
    folder = Path(name).expanduser()
    if tiny is None and (folder / "config.json").is_file():
        return folder
    cached = cached_folder(tiny.repository if tiny else name, "config.json")
    if cached is not None:
        return cached
    shown = display_name(name)
    raise ModelError(
        f"The tiny autoencoder {shown} is not on this machine.",
        f"Fetch it with `latmix models pull {shown}`, or name a folder.",
    )
