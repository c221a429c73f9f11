"""A checked model folder, its geometry, its noise levels and its fingerprint. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from latmix.errors import ModelError
from latmix.models.adapters import Adapter
from latmix.models.families import Family
from latmix.models.files import file_digest, named_class, place, read_json, weights
from latmix.models.schedule import NoiseSchedule, read_schedule
from latmix.models.single_file import SingleFile
from latmix.names import display_name


@dataclass(frozen=True)
class ModelSource:
    """A checked model folder.

    Attributes:
        name: as the user knows it: a catalogue name, a hub id or a folder.
        folder: diffusers format, on this machine.
        family: what its pipeline class has in common.
        guidance: what suits it when generating.
        single: a checkpoint in one file whose weights stand in for the folder's.
        adapters: LoRA files that are added to the weights.
    """

    name: str
    folder: Path
    family: Family
    guidance: float
    single: SingleFile | None = None
    adapters: tuple[Adapter, ...] = ()

    @cached_property
    def index(self) -> dict[str, Any]:
        """The model's `model_index.json`."""
        return read_json(self.folder / "model_index.json")

    @cached_property
    def networks(self) -> dict[str, str]:
        """The parts that have weights, and the class of each; optional ones may be absent."""
        named = {part: named_class(self.index.get(part)) for part in self.family.networks}
        return {part: name for part, name in named.items() if name}

    @cached_property
    def tokenizers(self) -> tuple[str, ...]:
        """The tokenizers that are there."""
        return tuple(p for p in self.family.tokenizers if named_class(self.index.get(p)))

    @cached_property
    def channels(self) -> int:
        """Latent channels.

        Raises:
            ModelError: the configuration names no number of them.
        """
        part, name, default = self.family.autoencoder, "latent_channels", 4
        if not part:
            part, name, default = self.family.denoiser, "in_channels", 3
        value = self.config(part).get(name, default)
        if type(value) is not int or value < 1:
            raise ModelError(
                f"{display_name(self.name)} is damaged: {name} in {part}/config.json is not a "
                "number of channels.",
                "Fetch it again.",
            )
        return value

    @property
    def takes_negative(self) -> bool:
        """Whether guidance leads away from a negative prompt, by a network call of its own."""
        return self.family.guiding == "classifier-free"

    @cached_property
    def is_told_guidance(self) -> bool:
        """Whether the network is told the scale of guidance as a number."""
        has_input = self.config(self.family.denoiser).get("guidance_embeds", False)
        return self.family.guiding == "embedded" and bool(has_input)

    @property
    def takes_guidance(self) -> bool:
        """Whether a scale of guidance changes anything."""
        return self.takes_negative or self.is_told_guidance

    @property
    def guided_calls(self) -> int:
        """Network calls that guidance makes of one."""
        return 2 if self.takes_negative else 1

    @cached_property
    def cell(self) -> int:
        """Pixels along one side of a latent cell."""
        if not self.family.autoencoder:
            return 1
        levels = self.config(self.family.autoencoder).get("block_out_channels", [0] * 4)
        return int(2 ** (len(levels) - 1))

    @cached_property
    def multiple(self) -> int:
        """Pixels that both sides of a picture must be multiples of."""
        halvings = 0
        if self.networks.get(self.family.denoiser) == "UNet2DModel":
            # Unlike the others it does not fit what it enlarges to what it made smaller.
            halvings = len(self.config(self.family.denoiser).get("block_out_channels", [0])) - 1
        return self.cell * self.family.patch * int(2**halvings)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels that the network was trained on."""
        side = self.config(self.family.denoiser).get("sample_size") or self.family.cells
        height, width = side if isinstance(side, list) else (side, side)
        return int(width) * self.cell, int(height) * self.cell

    def latent_shape(self, size: tuple[int, int]) -> tuple[int, int, int]:
        """(C, H, W) of the latents of pictures of a size (width, height) in pixels.

        Raises:
            ValueError: a side is not a positive multiple of `multiple`, or longer than the network
                has positions for; the sentence names the nearest size.
        """
        most = self.config(self.family.denoiser).get("pos_embed_max_size")
        longest = self.multiple * most if most else max(size) + self.multiple
        step = self.multiple
        near = tuple(min(max(step, (side + step // 2) // step * step), longest) for side in size)
        if near != size:
            raise ValueError(
                f"size must be multiples of {self.multiple} pixels"
                + (f" up to {longest}" if most else "")
                + f" for {self.name}, not {size[0]}x{size[1]}; the nearest is {near[0]}x{near[1]}."
            )
        return self.channels, size[1] // self.cell, size[0] // self.cell

    def patches(self, shape: Sequence[int]) -> int:
        """How many patches the denoiser sees in latents of a shape (..., H, W)."""
        patch = self.family.patch
        return (shape[-2] // patch) * (shape[-1] // patch)

    @cached_property
    def schedule(self) -> NoiseSchedule:
        """The noise levels it was trained with.

        Raises:
            ModelError: they are of a kind that latmix does not know.
        """
        try:
            return read_schedule(self.scheduler, self.family.has_even_levels)
        except ValueError as error:
            raise ModelError(
                f"The model {self.name} cannot be used: {error}",
                "Use a model with a plain diffusion or flow scheduler.",
            ) from error

    @cached_property
    def scheduler(self) -> dict[str, Any]:
        """The scheduler's JSON."""
        return read_json(place(self.folder, "scheduler") / "scheduler_config.json")

    @cached_property
    def fingerprint(self) -> str:
        """32 hex digits that change when any file the network reads changes."""
        from blake3 import blake3

        digest = blake3()
        for path in self._files():
            digest.update(f"{path.relative_to(self.folder).as_posix()}\0".encode())
            digest.update(file_digest(path))
        if self.single:
            digest.update(b"single\0" + file_digest(self.single.path))
        for adapter in self.adapters:
            digest.update(f"lora {adapter.scale!r}\0".encode() + file_digest(adapter.path))
        return digest.hexdigest(length=16)

    def variant(self, part: str) -> str | None:
        """A part's variant: None, or "fp16" where only half-precision files are there."""
        return None if weights(place(self.folder, part), None) else "fp16"

    def config(self, part: str) -> dict[str, Any]:
        """The JSON of a part that has weights."""
        return read_json(place(self.folder, part) / "config.json")

    def _files(self) -> list[Path]:
        chosen = [
            path
            for part in self.networks
            if not (self.single and self.single.has(part))
            for path in weights(place(self.folder, part), self.variant(part))
        ]
        for part in (*self.networks, *self.tokenizers, "scheduler"):
            for kind in ("*.json", "*.txt", "*.model"):
                chosen += place(self.folder, part).glob(kind)
        if self.family.needs_index:
            chosen.append(self.folder / "model_index.json")
        return sorted(set(chosen))
