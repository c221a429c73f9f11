"""LPIPS: how alike two pictures look, by the features of AlexNet; 0 where they are the same.

d = sum_l mean over places of w_l . (x_l - y_l)^2, with x_l and y_l the features of layer l, each
place's divided by its norm over the channels, and w_l the weights that were fitted to people's
judgements (version 0.1, which the extra `latmix[eval]` holds). AlexNet's own weights are a file
that must be on this machine already: nothing is downloaded. torchvision is not needed, which must
fit torch to the last version.

Source: Zhang et al. 2018, The Unreasonable Effectiveness of Deep Features as a Perceptual Metric
(arXiv 1801.03924), equation 1; the network is that of Krizhevsky 2014 (arXiv 1404.5997).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from latmix.errors import LatmixError
from latmix.measures.likeness import Measure
from latmix.models.pixels import to_pixels
from latmix.names import display_name

FILE = "alexnet-owt-7be5be79.pth"
"""The weights of AlexNet that LPIPS was fitted with, as torchvision publishes them."""

ADDRESS = f"https://download.pytorch.org/models/{FILE}"

LAYERS = ((0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1))
"""Of AlexNet: the number of each convolution in its file, its stride and its padding."""

POOLED = (1, 2)
"""Layers that take the largest of each 3 x 3 places before them."""

KINDS = ("weight", "bias")

LEAST = 31
"""Pixels of a side below which nothing is left for the last layers."""

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""What AlexNet expects of pixels in [-1, 1], by channel."""


def load_lpips(size: tuple[int, int], file: Path) -> Measure:
    """The measure, for two RGB pictures.

    Args:
        size: of the pictures, (width, height).
        file: AlexNet's weights.

    Raises:
        LatmixError: a file or the extra is missing, a file holds something else, or the pictures
            are too small.
    """
    if min(size) < LEAST:
        raise LatmixError(
            f"LPIPS cannot be measured in pictures of {size[0]} x {size[1]} pixels.",
            f"Use a --size of at least {LEAST}, or leave --lpips out.",
        )
    if not file.is_file():
        raise LatmixError(
            f"LPIPS needs AlexNet's weights, and there is no file {display_name(file)}.",
            f"Fetch {ADDRESS}, and name the file with --lpips.",
        )
    names = [f"features.{layer}.{kind}" for layer, _, _ in LAYERS for kind in KINDS]
    alexnet = _read(file, names, f"Fetch {ADDRESS} again.")
    names = [f"lin{index}.model.1.weight" for index in range(len(LAYERS))]
    linear = _read(_linear_file(), names, "Install the package lpips again.")
    weights = [tensor.flatten() for tensor in linear.values()]

    @torch.no_grad()
    def lpips(one: Image.Image, other: Image.Image) -> float:
        layers = _features(to_pixels([one, other]), alexnet)
        errors = [(first - second).square() for first, second in layers]
        parts = zip(errors, weights, strict=True)
        return float(sum((error.mean(dim=(1, 2)) @ weight for error, weight in parts)))

    return lpips


def _features(pixels: Tensor, alexnet: dict[str, Tensor]) -> list[Tensor]:
    """Of pixels (B, 3, H, W): each layer's (B, C, h, w), of norm 1 over the channels."""
    shift, scale = (torch.tensor(values)[:, None, None] for values in (SHIFT, SCALE))
    state, found = (pixels - shift) / scale, []
    for index, (layer, stride, padding) in enumerate(LAYERS):
        if index in POOLED:
            state = functional.max_pool2d(state, 3, 2)
        weight, bias = (alexnet[f"features.{layer}.{kind}"] for kind in KINDS)
        state = functional.conv2d(state, weight, bias, stride, padding).relu()
        found.append(state / (state.norm(dim=1, keepdim=True) + 1e-10))
    return found


def _linear_file() -> Path:
    """The fitted weights, in the package `lpips`, which is found but not imported."""
    found = importlib.util.find_spec("lpips")
    for folder in (found.submodule_search_locations if found else None) or ():
        file = Path(folder) / "weights" / "v0.1" / "alex.pth"
        if file.is_file():
            return file
    raise LatmixError(
        "LPIPS needs the fitted weights of the package lpips, which is not installed.",
        "Install the extra: pip install 'latmix[eval]'.",
    )


def _read(file: Path, names: list[str], hint: str) -> dict[str, Tensor]:
    """These tensors of a file that holds tensors and no code."""
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
        return {name: content[name].float() for name in names}
    except Exception as error:
        raise LatmixError(
            f"{display_name(file)} does not hold the weights that LPIPS needs: "
            f"{display_name(type(error).__name__)}.",
            hint,
        ) from error
