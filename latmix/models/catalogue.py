"""The models latmix knows by name. Any folder or hub id of a supported family works too."""

from __future__ import annotations

import difflib
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
    """A model with a short name.

    Attributes:
        repository: its id on the model hub; empty for the built-in model.
        guidance: classifier-free guidance that suits it when generating.
    """

    name: str
    repository: str
    family: str
    pixels: int
    licence: str
    note: str
    guidance: float = 7.5


KNOWN: tuple[Entry, ...] = (
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
        guidance=5.0,
    ),
    Entry(
        "sd35",
        "stabilityai/stable-diffusion-3.5-medium",
        "StableDiffusion3Pipeline",
        1024,
        "Stability AI Community License",
        "Stable Diffusion 3.5 medium, the paper's second model; accept its terms first; 16 GB",
        guidance=4.5,
    ),
    Entry(
        "flux",
        "black-forest-labs/FLUX.1-dev",
        "FluxPipeline",
        1024,
        "FLUX.1 [dev] Non-Commercial License",
        "Flux.1 dev; accept its terms first; 34 GB",
        guidance=3.5,
    ),
)

CATALOGUE: tuple[Entry, ...] = tuple(
    entry for entry in KNOWN if entry.repository or built_in_folder(entry.name).is_dir()
)
"""Those that can be had; a built-in model may be missing from a build."""


@dataclass(frozen=True)
class Tiny:
    """A tiny autoencoder for previews, of a few MB.

    Attributes:
        family: the pipeline class of the models whose latents it shows.
    """

    name: str
    repository: str
    family: str
    note: str
    licence: str = "MIT"


TINY: tuple[Tiny, ...] = (
    Tiny("taesd", "madebyollin/taesd", "StableDiffusionPipeline", "previews of sd15"),
    Tiny("taesdxl", "madebyollin/taesdxl", "StableDiffusionXLPipeline", "previews of sdxl"),
    Tiny("taesd3", "madebyollin/taesd3", "StableDiffusion3Pipeline", "previews of sd35"),
    Tiny("taef1", "madebyollin/taef1", "FluxPipeline", "previews of flux"),
)


def find_tiny_entry(name: str) -> Tiny | None:
    """The tiny autoencoder of a short name or a hub id."""
    return next((tiny for tiny in TINY if name in (tiny.name, tiny.repository)), None)


def find_entry(name: str) -> Entry | None:
    """The entry of a short name or a hub id."""
    return next(
        (entry for entry in CATALOGUE if name and name in (entry.name, entry.repository)), None
    )


def nearest(name: str) -> list[str]:
    """Catalogue names that a misspelt one may have meant."""
    names = [entry.name for entry in CATALOGUE] + [e.repository for e in CATALOGUE if e.repository]
    return difflib.get_close_matches(name, names, n=2, cutoff=0.4)
