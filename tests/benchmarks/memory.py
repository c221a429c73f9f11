"""The most memory that `invert` and `centroid` take, by the number of pictures.

Each count runs in a process of its own. `LATMIX_BENCHMARK_PICTURES` says the counts; those above
1,000 go through a model of random weights that is 100 times smaller than the built-in one.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

COUNTS = os.environ.get("LATMIX_BENCHMARK_PICTURES", "100,1000,10000")
SIDE = 32
LARGE = 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "pictures").mkdir()
        made = 0
        for count in sorted(int(text) for text in COUNTS.split(",")):
            draw(place / "pictures", range(made, count))
            made = count
            model = tiny(place / "tiny") if count > LARGE else "mini"
            for command in ("invert", "centroid"):
                most = peak(command, count, model, place)
                print(f"{command}, {count} pictures, {Path(model).name}: {most:.0f} MB", flush=True)


def draw(folder: Path, numbers: range) -> None:
    """Pictures of noise, no two alike."""
    for number in numbers:
        noise = random.Random(number).randbytes(3 * SIDE * SIDE)
        Image.frombytes("RGB", (SIDE, SIDE), noise).save(folder / f"{number:05}.png")


def tiny(folder: Path) -> str:
    """A Stable Diffusion pipeline of random weights."""
    if not folder.exists():
        from tests.support.tiny import stable_diffusion

        stable_diffusion(folder)
    return str(folder)


def peak(command: str, count: int, model: str, place: Path) -> float:
    """MB that a command took at most, in a process of its own. `centroid` follows `invert`, and so
    finds the latents stored."""
    words = [command, str(place / "pictures"), "-n", str(count), "--model", model, "--batch", "32"]
    words += ["--steps", "2", "--solver", "ddim", "--quiet"]
    if command == "centroid":
        words += ["--no-open", "-o", str(place / "out.png")]
    here = {**os.environ, "LATMIX_HOME": str(place / "home")}
    script = [sys.executable, __file__, *words]
    ran = subprocess.run(script, env=here, check=True, capture_output=True, text=True)
    return float(ran.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    from latmix.cli import main as latmix

    sys.argv = ["latmix", *sys.argv[1:]]
    try:
        latmix()
    except SystemExit as end:
        if end.code:
            raise
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
