"""Published sizes on a GPU, random weights, bfloat16: throughput beside the plain script's.

Without a GPU the same is run on tiny sizes, which shows that the script works and nothing else.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

import latmix
from latmix.jobs.speed import call_operations
from tests.benchmarks import plain
from tests.benchmarks.measure import product_rate, report, seconds
from tests.support import tiny

STEPS, GUIDANCE = 10, 5.0
SIZES = {"sd15": 512, "sd35": 1024}
TINY = 64


def main() -> None:
    is_full = torch.cuda.is_available()
    device = "cuda" if is_full else "cpu"
    kind = torch.bfloat16 if is_full else torch.float32
    print(torch.cuda.get_device_name() if is_full else "no GPU: tiny sizes on the processor")
    bare = product_rate(8192 if is_full else 512, device, kind)
    print(f"  bare matrix product: {bare / 1e12:.3g} TFLOP/s")
    for name, side in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            build(name, Path(folder), is_full)
            one_model(name, Path(folder), side if is_full else TINY, device, kind, bare)


def build(name: str, folder: Path, is_full: bool) -> None:
    """A pipeline of random weights; sd35 without T5."""
    torch.manual_seed(0)
    if name == "sd15":
        tiny.stable_diffusion(folder, is_small=not is_full)
    else:
        tiny.stable_diffusion_3(folder, with_t5=False, is_small=not is_full)


def one_model(
    name: str, folder: Path, side: int, device: str, kind: torch.dtype, bare: float
) -> None:
    dtype = str(kind).removeprefix("torch.")
    model = latmix.load_model(str(folder), device=device, dtype=dtype)
    pipe = plain_pipeline(name, folder, device, kind)
    picture = Image.effect_noise((side, side), 60).convert("RGB")
    size = (side, side)

    def inverted(batch: int) -> Tensor:
        many = [picture] * batch
        return latmix.invert(model, many, "a", steps=STEPS, solver="ddim", size=size, batch=batch)

    def generated(batch: int) -> list[Image.Image]:
        noise = torch.randn(batch, *model.source.latent_shape(size))
        return latmix.generate(model, noise, "a", steps=STEPS, guidance=GUIDANCE, batch=batch)

    latent = plain.invert(pipe, [picture], 1, "a")
    operations = call_operations(model, size)
    works: tuple[tuple[str, int, Callable[[], object], Callable[[int], object]], ...] = (
        ("invert", 1, lambda: plain.invert(pipe, [picture], STEPS, "a"), inverted),
        ("generate", 2, lambda: plain.generate(pipe, latent, GUIDANCE, STEPS, "a"), generated),
    )
    for what, calls, slow, quick in works:
        base = timed(slow, device) / STEPS
        report(f"{name}: plain script, {what}, a step", base, base, "plain")
        for batch in (1, 4, 8, 16):
            each = timed(lambda b=batch, q=quick: q(b), device) / batch / STEPS
            report(f"{name}: latmix, {what}, batches of {batch}, a step", each, base, "plain")
            share = calls * operations / each / bare
            print(f"  {share:.0%} of the bare matrix product{memory(device)}")


def plain_pipeline(name: str, folder: Path, device: str, kind: torch.dtype) -> Any:
    import diffusers

    family = "StableDiffusionPipeline" if name == "sd15" else "StableDiffusion3Pipeline"
    absent = {} if name == "sd15" else {"text_encoder_3": None, "tokenizer_3": None}
    pipe = getattr(diffusers, family).from_pretrained(folder, dtype=kind, **absent).to(device)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def timed(work: Callable[[], object], device: str) -> float:
    def finished() -> None:
        work()
        if device == "cuda":
            torch.cuda.synchronize()

    return seconds(finished, 3)


def memory(device: str) -> str:
    if device != "cuda":
        return ""
    most = torch.cuda.max_memory_allocated() / 2**30
    torch.cuda.reset_peak_memory_stats()
    return f", {most:.1f} GiB at most"
