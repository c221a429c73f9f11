"""The options that commands share, declared once: groups of them, and the settings of the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from latmix.cli.command import PRESET, Given, Settings
from latmix.session.choices import SETTINGS
from latmix.session.fields import rows
from latmix.session.machine import Machine

INVERTING = tuple(row for row in SETTINGS if not row.is_generating)
GENERATING = tuple(row for row in SETTINGS if row.is_generating)

Inverting = Annotated[Given, Settings((*INVERTING, PRESET))]
"""How pictures become latents."""

Generating = Annotated[Given, Settings(GENERATING)]
"""How latents become pictures, beside what holds both ways."""

Guidance = Annotated[Given, Settings.named("guidance")]

GuidanceAndDraft = Annotated[Given, Settings.named("guidance", "draft")]


@dataclass(frozen=True)
class PictureOptions:
    """Which pictures."""

    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Pictures and folders of pictures.", show_default=False),
    ] = None
    demo: Annotated[
        str | None, typer.Option(help="Built-in pictures: faces, animals, food or hearts.")
    ] = None
    recursive: Annotated[bool, typer.Option("--recursive", help="Look into subfolders.")] = False
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first picture that cannot be read.")
    ] = False


@dataclass(frozen=True)
class ModelOptions:
    """Which model, and where it runs."""

    model: Annotated[
        str,
        typer.Option(
            help="A name of `latmix models list`, a hub id, a folder, or FILE.safetensors@BASE."
        ),
    ] = "auto"
    lora: Annotated[
        list[str] | None,
        typer.Option(
            help="FILE.safetensors[=SCALE]: a LoRA to add to the model; may be repeated.",
            show_default=False,
        ),
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
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The PNG to write.  [default: a free name here]",
            show_default=False,
        ),
    ] = None
    open: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the viewer.")] = False
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the result.")] = False


@dataclass(frozen=True)
class SayOptions:
    """What is said, for commands that write no picture."""

    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")] = False


@dataclass(frozen=True)
class WeightOptions:
    """The weights of a mixture, by name."""

    weights: Annotated[
        list[str] | None,
        typer.Option("-w", "--weight", help="NAME=WEIGHT; may be repeated.", show_default=False),
    ] = None
    weight_file: Annotated[
        Path | None,
        typer.Option("--weights", help="CSV with the columns name, weight.", show_default=False),
    ] = None


Method = Annotated[
    str, typer.Option("--method", "-m", help="norm/mean, such as nin/lp:1, nin/chm, fix/0.")
]

Count = Annotated[
    int | None,
    typer.Option(
        "-n",
        "--count",
        min=1,
        help="The first N readable pictures.  [default: all]",
        show_default=False,
    ),
]

SomePictures = Annotated[
    int, typer.Option("-n", "--count", min=1, help="The first N readable pictures.")
]
