"""What a picture is measured by on its own: sharpness, contrast, saturation, (B,) each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


def grey(pictures: Tensor) -> Tensor:
    """Luma 0 .. 255, (B, H, W): Rec. 601."""
    weights = torch.tensor([0.299, 0.587, 0.114], device=pictures.device)
    return torch.einsum("bchw,c->bhw", pictures.float() * 127.5 + 127.5, weights)


def sharpness(pictures: Tensor) -> Tensor:
    """Variance of the Laplacian of the luma, four neighbours, without the border."""
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    edges = functional.conv2d(grey(pictures)[:, None], kernel[None, None].to(pictures.device))
    return edges.var(dim=(1, 2, 3))


def contrast(pictures: Tensor) -> Tensor:
    """Standard deviation of the luma."""
    return grey(pictures).std(dim=(1, 2))


def saturation(pictures: Tensor) -> Tensor:
    """Mean of HSV's saturation, (max - min)/max, in per cent."""
    values = pictures.float() * 0.5 + 0.5
    most, least = values.amax(dim=1), values.amin(dim=1)
    return 100 * ((most - least) / most.clamp_min(1 / 255)).mean(dim=(1, 2))


@dataclass(frozen=True)
class Quality:
    """What pictures are measured by on their own, and how to call that."""

    of: Callable[[Tensor], Tensor]
    meaning: str

    def __call__(self, pictures: Tensor) -> Tensor:
        return self.of(pictures)


QUALITIES = {
    "sharpness": Quality(sharpness, "variance of the Laplacian of the luma"),
    "contrast": Quality(contrast, "standard deviation of the luma"),
    "saturation": Quality(saturation, "mean saturation"),
}
"""By the names that tables give them."""
