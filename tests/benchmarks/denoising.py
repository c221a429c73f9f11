"""Inversion and generation beside the plain script, and beside a bare matrix product."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

import latmix
from latmix import demo
from latmix.jobs.speed import call_operations
from latmix.models.protocol import Model
from latmix.models.source import find_model
from tests.benchmarks import plain
from tests.benchmarks.measure import product_rate, report, seconds

COUNT, STEPS, GUIDANCE = 32, 50, 3.0
PROMPT = "an emoji of a face"


def main() -> None:
    source = find_model("mini")
    model, pipe = latmix.load_model("mini", device="cpu"), plain.load(source.folder)
    width = source.size[0]
    pictures = [plain.opened(path, width) for path in faces()]
    few = pictures[:4]
    print(f"{COUNT} pictures, {STEPS} steps, {torch.get_num_threads()} threads; plain script on 4")

    base, slow = once(lambda: plain.invert(pipe, few, STEPS))
    taken, fast = once(lambda: invert(model, pictures))
    report("plain script, invert one picture", base / 4, base / 4, "plain")
    report("latmix, invert one of them", taken / COUNT, base / 4, "plain")
    print(f"  largest difference of the latents {float((slow - fast[:4]).abs().max()):.1e}")
    efficiency(model, taken, COUNT * STEPS)

    for prompt in ("", PROMPT):  # guidance away from no prompt has an effect on a prompt only
        base2, slow2 = once(lambda p=prompt: plain.generate(pipe, slow, GUIDANCE, STEPS, p))
        taken2, fast2 = once(lambda p=prompt: generate(model, fast, p))
        print(f"at guidance {GUIDANCE:g}, prompt {prompt!r}")
        report("plain script, generate one picture", base2 / 4, base2 / 4, "plain")
        report("latmix, generate one of them", taken2 / COUNT, base2 / 4, "plain")
        print(f"  largest difference of a pixel {largest(slow2, fast2[:4])} of 255")
        efficiency(model, taken2, COUNT * STEPS * (2 if prompt else 1))
        both = (base + base2) / 4, (taken + taken2) / COUNT
        report("inverted and generated", both[1], both[0], "plain")

    mixture = latmix.mix(fast, None, "nin/chm")
    for prompt in ("", PROMPT):
        print(f"one mixture at guidance {GUIDANCE:g}, prompt {prompt!r}")
        work = lambda p=prompt: plain.generate(pipe, mixture[None], GUIDANCE, STEPS, p)  # noqa: E731
        one = seconds(work, 3)
        report("pipeline's call", one, one, "pipeline")
        for steps in (STEPS, 10):
            taken = seconds(lambda p=prompt, s=steps: generate(model, mixture, p, s), 3)
            report(f"latmix, {steps} steps", taken, one, "pipeline")
    cold(source.folder)


def faces() -> list[Path]:
    return sorted(demo.folder("faces").glob("*.png"))[:COUNT]


def invert(model: Model, pictures: list[Image.Image]) -> Tensor:
    return latmix.invert(model, pictures, steps=STEPS, solver="ddim", batch=COUNT)


def generate(model: Model, latents: Tensor, prompt: str, steps: int = STEPS) -> list[Image.Image]:
    return latmix.generate(model, latents, prompt, steps=steps, guidance=GUIDANCE, batch=COUNT)


def once(work: Callable[[], object]) -> tuple[float, object]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def largest(left: list[Image.Image], right: list[Image.Image]) -> int:
    values = [
        torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).int()
        for side in (left, right)
        for picture in side
    ]
    half = len(left)
    return max(int((a - b).abs().max()) for a, b in zip(values[:half], values[half:], strict=True))


def efficiency(model: Model, taken: float, evaluations: int) -> None:
    """The network's arithmetic a second as a share of a bare matrix product's."""
    rate = call_operations(model, model.source.size) * evaluations / taken
    bare = product_rate()
    print(f"  {rate / 1e9:.0f} GFLOP/s, {rate / bare:.2f} of a bare matrix product's")


def cold(folder: Path) -> None:
    """From the shell to a centroid of 32 pictures on the disk, with nothing loaded or stored."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "pictures").mkdir()
        for path in faces():
            (place / "pictures" / path.name).write_bytes(path.read_bytes())
        here = {**os.environ, "LATMIX_HOME": str(place / "home")}
        script = [sys.executable, plain.__file__, str(folder), str(place / "pictures")]
        base, _ = once(lambda: run([*script, str(place / "plain.png")], here))
        command = [sys.executable, "-m", "latmix", "centroid", str(place / "pictures"), "-n", "32"]
        command += ["--solver", "ddim", "--method", "fix/0", "--guidance", "3", "--no-open"]
        command += ["-o", str(place / "latmix.png")]
        taken, _ = once(lambda: run([*command, "--batch", "32"], here))
    report("plain script, cold start to a centroid of 32", base, base, "plain")
    report("latmix centroid, the same", taken, base, "plain")


def run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, env=environment, check=True, capture_output=True)
