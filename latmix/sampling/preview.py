"""What latents look like while a job is at work, at a small share of the job's time.

With a tiny autoencoder at hand they are decoded by it. Else small latents are decoded by the model.
Those of large models take as long to decode as several network calls; for them a linear map from a
latent's channels to red, green and blue is fitted on pictures that have just been encoded, and
costs next to nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from PIL import Image
from torch import Tensor

from latmix.models.protocol import Model

SECONDS = 0.4
"""Least time between two previews."""

SHARE = 0.1
"""Of the job's time that decoding previews may take."""

DECODED_CELLS = 1024
"""Latents of at most this many cells (H W) are decoded: 32 x 32, pictures of 256 pixels."""


Decode = Callable[[Tensor], Image.Image]
"""The picture of a clean latent (C, H, W)."""


class Preview:
    """Previews of one model's latents."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        decoder: Callable[[], Decode] | None = None,
    ) -> None:
        """Args: decoder: loads that of a tiny autoencoder; asked when it is first needed."""
        self._clock = clock
        self._decoder = decoder
        self._decode: Decode | None = None
        self._due = 0.0
        self._map: Tensor | None = None

    @property
    def is_due(self) -> bool:
        """Whether enough time has passed since the last."""
        return self._clock() >= self._due

    def learn(self, latents: Tensor, pictures: Sequence[Image.Image]) -> None:
        """Fit the map, by least squares over all cells, unless latents are small.

        Args:
            latents: clean ones, (B, C, H, W), of these B RGB pictures.
        """
        height, width = latents.shape[2:]
        if self._decoder or self._map is not None or height * width <= DECODED_CELLS:
            return
        cells = _with_one(latents.float().cpu())
        colours = torch.cat([_colours(picture, (width, height)) for picture in pictures])
        self._map = torch.linalg.lstsq(cells, colours, driver="gelsd").solution

    def show(self, model: Model, clean: Tensor) -> Image.Image:
        """A picture of clean latents (C, H, W): of the model's size, or a pixel a cell."""
        start = self._clock()
        height, width = clean.shape[1:]
        if self._decoder:
            self._decode = self._decode or self._decoder()
            picture = self._decode(clean)
        elif self._map is None or height * width <= DECODED_CELLS:
            picture = model.decode(clean[None])[0]
        else:
            values = (_with_one(clean[None].float().cpu()) @ self._map).clamp(0, 1)
            pixels = (values * 255).round().to(torch.uint8).numpy().tobytes()
            picture = Image.frombytes("RGB", (width, height), pixels)
        spent = self._clock() - start
        self._due = start + max(SECONDS, spent / SHARE)
        return picture


def _with_one(latents: Tensor) -> Tensor:
    """Cells as rows, with a constant for the offset: (B, C, H, W) -> (B H W, C + 1)."""
    cells = latents.permute(0, 2, 3, 1).flatten(0, 2)
    return torch.cat([cells, torch.ones(len(cells), 1)], dim=1)


def _colours(picture: Image.Image, size: tuple[int, int]) -> Tensor:
    """A picture's colours, (H W, 3) in 0..1, at (width, height)."""
    small = picture.convert("RGB").resize(size, Image.Resampling.BOX)
    return torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8).view(-1, 3) / 255
