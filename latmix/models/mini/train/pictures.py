"""Artwork laid on backgrounds, a batch at a time and on the device: what the networks see.

Every picture of a batch has its own size, place, mirroring and background: white, plain, graded or
softly textured. Flat backgrounds in one layout leave latents that share too much and whose noise
has too small a norm. All randomness comes from the generator given.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from latmix.models.mini.train.captions import BACKGROUNDS
from latmix.models.mini.train.dataset import Dataset

PIXELS = 64


@dataclass(frozen=True)
class Variety:
    """How much pictures vary.

    Attributes:
        smallest, largest: side of the artwork's square in pixels of 64.
        overhang: pixels by which the artwork may leave the picture.
        white, plain, graded: shares of such backgrounds; the rest are graded and textured.
        texture: standard deviation of the strongest texture, of a range of 2.
        hue: share of pictures whose colour channels are permuted; only for the autoencoder, since
            captions name colours.
    """

    smallest: float = 42.0
    largest: float = 63.0
    overhang: float = 3.0
    white: float = 0.2
    plain: float = 0.15
    graded: float = 0.25
    texture: float = 0.12
    hue: float = 0.0


FRAMED = Variety(smallest=58.0, largest=58.0, overhang=-32.0, white=1.0, plain=0.0, graded=0.0)
"""As the demo pictures are: centred on white, filling the square but for a margin."""


class Composer:
    """Makes pictures of a data set's artwork on one device."""

    def __init__(self, dataset: Dataset, device: torch.device) -> None:
        self.device = device
        self._artwork = dataset.artwork.to(device)
        self._mirrors = dataset.mirrors.to(device)
        palette = torch.tensor(list(BACKGROUNDS.values()), dtype=torch.float32)
        self._palette = palette.to(device) / 127.5 - 1

    def compose(
        self, index: Tensor, variety: Variety, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Pictures of the artwork at these indices (B,).

        Returns:
            (B, 3, 64, 64) float32 in [-1, 1], and which entry of `captions.TAILS` names each
            background, (B,) int64, counted from 1.
        """
        # A training step's bfloat16 would move the artwork by a quarter of a pixel.
        with torch.autocast(self.device.type, enabled=False):
            return self._compose(index, variety, generator)

    def _compose(
        self, index: Tensor, variety: Variety, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        artwork = self._artwork[index].float() / 255
        placed = functional.grid_sample(
            artwork,
            self._grid(self._mirrors[index], variety, generator),
            mode="bicubic",
            padding_mode="zeros",
            align_corners=False,
        )
        colour, alpha = placed[:, :3], placed[:, 3:].clamp(0, 1)
        behind, names = self._backgrounds(len(index), variety, generator)
        # Premultiplied over opaque: c + (1 - a) b, where c in [0, 1] is a (c' + 1) / 2 of c'.
        pictures = (2 * colour - alpha + (1 - alpha) * behind).clamp(-1, 1)
        if variety.hue > 0:
            pictures = self._recoloured(pictures, variety.hue, generator)
        return pictures, names

    def _uniform(self, *shape: int, generator: torch.Generator) -> Tensor:
        return torch.rand(*shape, generator=generator, device=self.device)

    def _grid(self, may_mirror: Tensor, variety: Variety, generator: torch.Generator) -> Tensor:
        """Where each pixel of each picture is in its artwork's square, (B, 64, 64, 2)."""
        count = len(may_mirror)
        drawn = self._uniform(count, 4, generator=generator)
        side = variety.smallest + (variety.largest - variety.smallest) * drawn[:, 0]
        room = ((PIXELS - side) / 2 + variety.overhang).clamp_min(0)
        shift = (2 * drawn[:, 1:3] - 1) * room[:, None]
        mirror = torch.where(may_mirror & (drawn[:, 3] < 0.5), -1.0, 1.0)
        theta = torch.zeros(count, 2, 3, device=self.device)
        theta[:, 0, 0] = mirror * PIXELS / side
        theta[:, 1, 1] = PIXELS / side
        theta[:, 0, 2] = -mirror * shift[:, 0] * 2 / side
        theta[:, 1, 2] = -shift[:, 1] * 2 / side
        return functional.affine_grid(theta, [count, 4, PIXELS, PIXELS], align_corners=False)

    def _backgrounds(
        self, count: int, variety: Variety, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        kind = self._uniform(count, generator=generator)
        colours = len(self._palette)
        names = torch.randint(colours, (count,), generator=generator, device=self.device)
        is_white = kind < variety.white
        names = torch.where(is_white, 0, names)
        base = self._palette[names]
        jitter = 0.16 * torch.randn(count, 2, 3, generator=generator, device=self.device)
        # A grade runs between two shades of the one colour that captions name.
        light = 0.7 * (self._uniform(count, 2, 1, generator=generator) - 0.5)
        ends = base[:, None] + jitter + light
        is_plain = (kind < variety.white + variety.plain)[:, None, None]
        ends = torch.where(is_plain, ends[:, :1], ends)
        ends = torch.where(is_white[:, None, None], base[:, None], ends)
        along = self._slope(count, generator)
        graded = torch.lerp(ends[:, 0, :, None, None], ends[:, 1, :, None, None], along)
        is_textured = kind >= variety.white + variety.plain + variety.graded
        texture = self._texture(count, variety.texture, generator)
        return (graded + is_textured[:, None, None, None] * texture).clamp(-1, 1), names + 1

    def _slope(self, count: int, generator: torch.Generator) -> Tensor:
        """A ramp from 0 to 1 across each picture in a direction of its own, (B, 1, 64, 64)."""
        angle = 2 * torch.pi * self._uniform(count, 1, 1, generator=generator)
        line = torch.linspace(-1, 1, PIXELS, device=self.device)
        ramp = line[None, :, None] * angle.sin() + line[None, None, :] * angle.cos()
        return (ramp / (angle.sin().abs() + angle.cos().abs()) * 0.5 + 0.5)[:, None]

    def _texture(self, count: int, strength: float, generator: torch.Generator) -> Tensor:
        """Soft noise of three scales, mostly the same in all colours, (B, 3, 64, 64)."""
        total = torch.zeros(count, 3, PIXELS, PIXELS, device=self.device)
        amount = self._uniform(count, 3, 1, 1, 1, generator=generator) * strength
        for octave, cells in enumerate((6, 12, 24)):
            grey = torch.randn(count, 1, cells, cells, generator=generator, device=self.device)
            tint = torch.randn(count, 3, cells, cells, generator=generator, device=self.device)
            noise = functional.interpolate(grey + 0.4 * tint, size=PIXELS, mode="bilinear")
            total += amount[:, octave] * noise
        return total

    def _recoloured(self, pictures: Tensor, share: float, generator: torch.Generator) -> Tensor:
        """A share of the pictures with red, green and blue in another order."""
        count = len(pictures)
        order = self._uniform(count, 3, generator=generator).argsort(dim=1)
        keeps = self._uniform(count, 1, generator=generator) >= share
        order = torch.where(keeps, torch.arange(3, device=self.device), order)
        return pictures.gather(1, order[:, :, None, None].expand_as(pictures))
