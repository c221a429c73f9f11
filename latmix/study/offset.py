"""An offset of a channel in the top quarter of a latent, as noise and as picture: L&K figure 6.

At t = T the network sees it, and what it does to the whole picture is the damage that bias does;
at t = 0 the decoder sees it alone, and only the top of the picture changes.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from latmix.jobs.progress import Progress
from latmix.jobs.workbench import Workbench
from latmix.models.pixels import to_pixels
from latmix.sampling.settings import GenerationSettings
from latmix.study.noise import decode_clean, generate_clean

TIMES = ("T", "0")


@dataclass(frozen=True)
class OffsetPicture:
    """A picture whose latent was changed.

    Attributes:
        time: "T": the noise was; "0": the clean latent.
        offset: what was added to the channel, in the latent's own unit.
        change_top, change_rest: root mean square change of pixels against the unchanged picture,
            of 255 levels, in the top quarter and below it.
    """

    time: str
    channel: int
    offset: float
    picture: Image.Image
    change_top: float
    change_rest: float


def add_offset(latent: Tensor, channel: int, offset: float) -> Tensor:
    """The latent (C, H, W) with an offset in the top quarter of one channel."""
    moved = latent.clone()
    moved[channel, : max(1, latent.shape[1] // 4)] += offset
    return moved


def offset_pictures(
    bench: Workbench,
    noise: Tensor,
    cases: Sequence[tuple[int, float]],
    prompt: str,
    settings: GenerationSettings,
) -> Generator[Progress, None, tuple[OffsetPicture, ...]]:
    """Pictures of one noise latent (C, H, W) under offsets of its channels, at t = T and t = 0.

    Args:
        cases: channels and offsets, 0 among them or not; each is one picture a time.

    Returns:
        by time, then as the cases.

    Raises:
        ValueError: a channel that the noise does not have.
    """
    channels = {channel for channel, _ in cases}
    if not channels <= set(range(len(noise))):
        raise ValueError(f"channels must be from 0 to {len(noise) - 1}, not {sorted(channels)}.")
    noises = torch.stack([noise, *(add_offset(noise, *case) for case in cases)])
    clean = yield from generate_clean(bench, noises, prompt, settings)
    states = torch.cat([clean, torch.stack([add_offset(clean[0], *case) for case in cases])])
    pictures = yield from decode_clean(bench, states)
    keys = [(time, *case) for time in TIMES for case in cases]
    made = zip(keys, pictures[1:], strict=True)
    return tuple(OffsetPicture(*key, each, *_change(each, pictures[0])) for key, each in made)


def _change(picture: Image.Image, unchanged: Image.Image) -> tuple[float, float]:
    """Root mean square difference in 8-bit levels: the top quarter, and the rest."""
    pixels = to_pixels([picture, unchanged]).double()
    squares = ((pixels[0] - pixels[1]) * 127.5).square()
    rows = max(1, squares.shape[1] // 4)
    parts = (squares[:, :rows], squares[:, rows:])
    return float(parts[0].mean().sqrt()), float(parts[1].mean().sqrt())
