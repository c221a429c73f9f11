"""Pictures as tensors and back: (B, 3, H, W) float32 in [-1, 1]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
import torch
from PIL import Image
from torch import Tensor


def to_pixels(pictures: Sequence[Image.Image]) -> Tensor:
    """RGB pictures of one size as (B, 3, H, W) in [-1, 1].

    Raises:
        ValueError: there are none, or their sizes differ.
    """
    sizes = {picture.size for picture in pictures}
    if len(sizes) != 1:
        raise ValueError(f"pictures must all have one size, not {len(sizes)} sizes.")
    levels = numpy.stack([numpy.asarray(picture.convert("RGB")) for picture in pictures])
    return torch.from_numpy(levels).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def to_pictures(pixels: Tensor) -> list[Image.Image]:
    """RGB pictures of pixels in [-1, 1]; what lies outside is clipped, NaN becomes mid-grey."""
    values = torch.nan_to_num(pixels.float(), nan=0.0).clamp(-1, 1)
    levels = ((values + 1) * 127.5).round().to("cpu", torch.uint8).permute(0, 2, 3, 1)
    return [Image.fromarray(row.numpy()) for row in levels.contiguous()]
