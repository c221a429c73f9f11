"""The options that commands share, declared once: groups of them, and the settings of the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from latmix.cli.command import PRESET, Given, Settings
from latmix.session.choices import SETTINGS
from latmix.session.fields import rows
from latmix.session.machine import Machine


def option(help: str, *flags: str, least: float | None = None, most: float | None = None) -> Any:
    """An option, by the name of its parameter where no flags are given."""
    return typer.Option(*flags, min=least, max=most, help=help)


def argument(help: str) -> Any:
    """What stands in a command without a flag."""
    return typer.Argument(help=help)


INVERTING = tuple(row for row in SETTINGS if not row.is_generating)
GENERATING = tuple(row for row in SETTINGS if row.is_generating)

Inverting = Annotated[Given, Settings((*INVERTING, PRESET))]
"""How pictures become latents."""

Generating = Annotated[Given, Settings(GENERATING)]
"""How latents become pictures, beside what holds both ways."""

Guidance = Annotated[Given, Settings.named("guidance")]

GuidanceAndDraft = Annotated[Given, Settings.named("guidance", "draft")]


Demo = Annotated[str | None, option("Built-in pictures: faces, animals, food or hearts.")]

Recursive = Annotated[bool, option("Look into subfolders.", "--recursive")]


@dataclass(frozen=True)
class PictureOptions:
    """Which pictures."""

    paths: Annotated[list[Path] | None, argument("Pictures and folders of pictures.")] = None
    demo: Demo = None
    recursive: Recursive = False
    strict: Annotated[
        bool, option("Stop at the first picture that cannot be read.", "--strict")
    ] = False


@dataclass(frozen=True)
class ModelOptions:
    """Which model, and where it runs."""

    model: Annotated[
        str, option("A name of `latmix models list`, a hub id, a folder, or FILE.safetensors@BASE.")
    ] = "auto"
    lora: Annotated[
        list[str] | None,
        option("FILE.safetensors[=SCALE]: a LoRA to add to the model; may be repeated."),
    ] = None
    machine: Annotated[Given, Settings(rows(Machine))] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model with its LoRAs, as `find_model` reads it."""
        return "+".join([self.model, *(self.lora or ())])


@dataclass(frozen=True)
class OutputOptions:
    """Where the result goes and what is said."""

    output: Annotated[
        Path | None, option("The PNG to write.  [default: a free name here]", "-o", "--output")
    ] = None
    open: Annotated[bool, option("Open it in the viewer.", "--open/--no-open")] = False
    json: Annotated[bool, option("JSON on stdout.", "--json")] = False
    quiet: Annotated[bool, option("Only the result.", "--quiet", "-q")] = False


@dataclass(frozen=True)
class SayOptions:
    """What is said, for commands that write no picture."""

    json: Annotated[bool, option("JSON on stdout.", "--json")] = False
    quiet: Annotated[bool, option("No progress, no notes.", "--quiet", "-q")] = False


@dataclass(frozen=True)
class WeightOptions:
    """The weights of a mixture, by name."""

    weights: Annotated[
        list[str] | None, option("NAME=WEIGHT; may be repeated.", "-w", "--weight")
    ] = None
    weight_file: Annotated[
        Path | None, option("CSV with the columns name, weight.", "--weights")
    ] = None


Method = Annotated[str, option("norm/mean, such as nin/lp:1, nin/chm, fix/0.", "--method", "-m")]

Count = Annotated[
    int | None, option("The first N readable pictures.  [default: all]", "-n", "--count", least=1)
]

SomePictures = Annotated[int, option("The first N readable pictures.", "-n", "--count", least=1)]
