"""The paper's effect on a trained model: what mixing N pictures of one category does.

Centroids of N random pictures under three methods: how far their channel means are from noise,
against N and against the amplification, and what the pictures made from them lose. Source: Landolsi
& Kahl, arXiv 2505.07481, figure 1. It calls latmix as a user would, by its public functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from latmix import generate, mix
from latmix.measures.distances import features, frechet_distance
from latmix.measures.intervals import Estimate, estimate
from latmix.measures.qualities import QUALITIES
from latmix.mixing.grid import parse_method
from latmix.models.pixels import to_pixels
from latmix.models.protocol import Model

METHODS = ("fix/0", "fix/chm", "nin/chm")
COUNTS = (2, 8, 32, 64, 96)
CHEAP_DRAWS = 200
"""Draws for what needs no generation."""


@dataclass(frozen=True)
class Draw:
    """How many centroids are generated, and how."""

    prompt: str
    draws: int
    steps: int
    guidance: float


@dataclass(frozen=True)
class Row:
    """The centroids of N pictures under one method.

    Attributes:
        channel_mean: root mean square of the latents' channel means.
        amplification: what the normalised part of the mixture was multiplied by.
        qualities: of the pictures, as a share of the real pictures' mean.
        distance: Frechet distance of VAE features from the real pictures (`measures.features`).
    """

    count: int
    method: str
    channel_mean: Estimate
    amplification: Estimate
    qualities: dict[str, Estimate]
    distance: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Real:
    """The real pictures that are mixed.

    Attributes:
        qualities: their mean sharpness, contrast and saturation.
        decoded: the same of the VAE's reconstructions, as a share: no method can bring back more.
        distance: Frechet distance of as many of them as there are draws from all of them: what
            a perfect result would show at this number.
        features: (n, d).
    """

    qualities: dict[str, float]
    decoded: dict[str, float]
    distance: float
    features: Tensor


def describe_real(model: Model, pictures: Sequence[Image.Image], draws: int) -> Real:
    """What the centroids are compared with."""
    pixels = to_pixels(pictures)
    latents = model.encode(pictures)
    seen, bound = features(latents.cpu()), to_pixels(model.decode(latents))
    order = torch.randperm(len(seen), generator=torch.Generator().manual_seed(2))
    some = frechet_distance(seen[order[:draws]], seen)
    qualities = {name: float(of(pixels).mean()) for name, of in QUALITIES.items()}
    decoded = {name: float(of(bound).mean()) / qualities[name] for name, of in QUALITIES.items()}
    return Real(qualities, decoded, some, seen)


def draw_weights(count: int, total: int, draws: int, seed: int) -> Tensor:
    """Equal weights on `count` of `total` latents, chosen at random, (draws, total)."""
    generator = torch.Generator().manual_seed(1000 * seed + count)
    weights = torch.zeros(draws, total, dtype=torch.float64)
    for row in weights:
        row[torch.randperm(total, generator=generator)[:count]] = 1 / count
    return weights


def measure_row(
    model: Model,
    latents: Tensor,
    real: Real,
    count: int,
    method: str,
    draw: Draw,
) -> tuple[Row, list[Image.Image]]:
    """The row of N and a method, and the pictures of its generated draws."""
    weights = draw_weights(count, len(latents), max(draw.draws, CHEAP_DRAWS), seed=1)
    mixed = mix(latents, weights, method)
    plain = mix(latents, weights, "lin/0")
    mean = mixed.mean(dim=(2, 3))
    split = parse_method(method).split
    rest = mixed - split.constant(mean)[..., None, None]
    plain_rest = plain - split.constant(plain.mean(dim=(2, 3)))[..., None, None]
    amplification = rest.flatten(1).norm(dim=1) / plain_rest.flatten(1).norm(dim=1)
    how: dict[str, Any] = {"steps": draw.steps, "guidance": draw.guidance, "batch": 16}
    pictures = generate(model, mixed[: draw.draws], draw.prompt, **how)
    pixels = to_pixels(pictures)
    shares = {n: estimate(of(pixels) / real.qualities[n]) for n, of in QUALITIES.items()}
    distance = frechet_distance(features(model.encode(pictures).cpu()), real.features)
    bias = estimate(mean.square().mean(dim=1).sqrt())
    return Row(count, method, bias, estimate(amplification), shares, distance), pictures


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as lines of text."""
    lines = [
        f"{'N':>4} {'method':8} {'rms channel mean':18} {'amplification':18} "
        f"{'sharpness':18} {'contrast':18} {'saturation':18} {'distance':>8}"
    ]
    for row in rows:
        shares = " ".join(f"{row.qualities[name]!s:18}" for name in QUALITIES)
        lines.append(
            f"{row.count:4} {row.method:8} {row.channel_mean!s:18} {row.amplification!s:18} "
            f"{shares} {row.distance:8.2f}"
        )
    return lines
