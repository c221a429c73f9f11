"""The models latmix knows by name. Any folder or hub id of a supported family works too."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BUILT_IN = "mini"
BUILT_IN_FLOW = "mini-flow"

_FOLDERS = {BUILT_IN: "pipeline", BUILT_IN_FLOW: "flow"}


def built_in_folder(name: str = BUILT_IN) -> Path:
    """The folder of a built-in model inside the package."""
    return Path(__file__).parent / "mini" / _FOLDERS[name]


def is_built_in(name: str) -> bool:
    """Whether a model's name is that of one that comes with latmix, and knows emoji only."""
    return name in _FOLDERS


@dataclass(frozen=True)
class Entry:
    """A model, or a tiny autoencoder for previews, with a short name.

    Attributes:
        repository: its id on the model hub; empty for a built-in model.
        family: the pipeline class of the model, or of those whose latents it shows.
        pixels: of a side that it was trained on; 0 for what is no model.
        guidance: what suits it when generating, where its family's does not.
    """

    name: str
    repository: str
    family: str
    pixels: int
    licence: str
    note: str
    guidance: float | None = None


CATALOGUE: tuple[Entry, ...] = (
    Entry(
        BUILT_IN,
        "",
        "StableDiffusionPipeline",
        64,
        "Apache-2.0; artwork Apache-2.0, CC-BY 4.0, MIT",
        "built in; knows emoji only; no GPU and no download needed",
        guidance=3.0,
    ),
    Entry(
        BUILT_IN_FLOW,
        "",
        "StableDiffusion3Pipeline",
        64,
        "Apache-2.0; artwork Apache-2.0, CC-BY 4.0, MIT",
        "built in; the same emoji, by a rectified flow",
        guidance=3.0,
    ),
    Entry(
        "sd15",
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "StableDiffusionPipeline",
        512,
        "CreativeML Open RAIL-M",
        "Stable Diffusion 1.5, knows photographs; the paper's first model; 4.3 GB",
    ),
    Entry(
        "sdxl",
        "stabilityai/stable-diffusion-xl-base-1.0",
        "StableDiffusionXLPipeline",
        1024,
        "CreativeML Open RAIL++-M",
        "Stable Diffusion XL, knows photographs; 14 GB",
    ),
    Entry(
        "sd35",
        "stabilityai/stable-diffusion-3.5-medium",
        "StableDiffusion3Pipeline",
        1024,
        "Stability AI Community License",
        "Stable Diffusion 3.5 medium, the paper's second model; accept its terms first; 16 GB",
    ),
    Entry(
        "flux",
        "black-forest-labs/FLUX.1-dev",
        "FluxPipeline",
        1024,
        "FLUX.1 [dev] Non-Commercial License",
        "Flux.1 dev; accept its terms first; 34 GB",
    ),
)

TINY: tuple[Entry, ...] = tuple(
    Entry(name, f"madebyollin/{name}", family, 0, "MIT", f"tiny autoencoder: {what}; 5 MB")
    for name, family, what in (
        ("taesd", "StableDiffusionPipeline", "previews of sd15"),
        ("taesdxl", "StableDiffusionXLPipeline", "previews of sdxl"),
        ("taesd3", "StableDiffusion3Pipeline", "previews of sd35"),
        ("taef1", "FluxPipeline", "previews of flux"),
    )
)
"""Tiny autoencoders."""


def find_entry(name: str, among: Sequence[Entry] = CATALOGUE) -> Entry | None:
    """The entry of a short name or a hub id."""
    return next((each for each in among if name and name in (each.name, each.repository)), None)


def nearest(name: str) -> list[str]:
    """Catalogue names that a misspelt one may have meant."""
    names = [each.name for each in CATALOGUE] + [each.repository for each in CATALOGUE]
    return difflib.get_close_matches(name, names, n=2, cutoff=0.4)
