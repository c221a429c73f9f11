"""How many pictures are worked on at a time where the user does not say.

On a GPU the memory of one is measured, and the rest divides. On a CPU the system pages instead of
refusing, and many large ones at a time are no quicker: there it follows from their size. What was
found is a start: `sampling.batches` halves it where it proves too much.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from PIL import Image

from latmix.models.protocol import Conditioning, Model
from latmix.sampling.batches import free_memory, is_out_of_memory
from latmix.sampling.pictures import BATCH

MOST = 64
"""Pictures at a time on a GPU: it is kept busy by fewer, and a batch that is stopped is lost."""

MOST_ON_CPU = 32

CELLS = BATCH * 64 * 64
"""Places of the latents of a batch on a CPU: 8 pictures of 512 pixels, or more that are smaller."""

USED = 0.8
"""Of the memory that is free; the rest is for what solvers keep, and for fragments."""


class Meter:
    """The memory of an Nvidia or AMD GPU in bytes, as torch accounts for it."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def free(self) -> int:
        """What can still be had: what the driver has, and what torch caches but does not use."""
        left, _ = torch.cuda.mem_get_info(self._device)
        held = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        return left + held

    def peak(self, work: Callable[[], object]) -> int:
        """The most that some work held beyond what was held before it."""
        torch.cuda.synchronize(self._device)
        torch.cuda.reset_peak_memory_stats(self._device)
        before = torch.cuda.memory_allocated(self._device)
        work()
        torch.cuda.synchronize(self._device)
        return torch.cuda.max_memory_allocated(self._device) - before


def device_meter(device: torch.device) -> Meter | None:
    """The meter of a device whose memory is worth measuring."""
    return Meter(device) if device.type == "cuda" else None


def largest_batch(device: torch.device) -> int:
    """Pictures at a time where the user does not say, if memory has room for them."""
    return MOST_ON_CPU if device_meter(device) is None else MOST


def batch_on_cpu(latent: tuple[int, int, int]) -> int:
    """Pictures with latents of a shape (C, h, w) that go through a model together."""
    return max(BATCH, min(MOST_ON_CPU, CELLS // (latent[1] * latent[2])))


def empty_prompts(model: Model, count: int) -> Conditioning:
    """The empty prompt, so many times, at guidance 1: what the network is measured with."""
    conditioning = model.condition([""] * count)
    return conditioning.with_guidance(1.0) if model.source.is_told_guidance else conditioning


def measured_batch(model: Model, size: tuple[int, int], meter: Meter) -> int:
    """Pictures of a size (width, height) that go through the model together: at least 1.

    The larger of what encoding a picture and what a network call for it take, guidance doubling
    the latter, each measured with one; decoding goes one by one.
    """
    picture = Image.new("RGB", size)
    rows = model.source.guided_calls
    try:
        conditioning = empty_prompts(model, rows)
        encoding = meter.peak(lambda: model.encode([picture]))
        state = model.encode([picture]).repeat(rows, 1, 1, 1)
        calling = meter.peak(lambda: model.predict(state, 1.0, conditioning))
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        encoding, calling = meter.free(), 0
    free_memory()
    return max(1, int(USED * meter.free()) // max(1, encoding, calling))
