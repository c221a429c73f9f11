"""Starting: help, and a centroid of stored latents beside the imports that it cannot do without."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from tests.benchmarks.measure import report, seconds

NEEDED = """
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        latmix = [sys.executable, "-m", "latmix"]
        report("python -c pass", timed([sys.executable, "-c", "pass"], home), 0.2, "0.2 s")
        report("latmix --help", timed([*latmix, "--help"], home), 0.2, "0.2 s")
        needed = timed([sys.executable, "-c", NEEDED], home)
        report("import torch and the classes that mini needs", needed, needed, "import")
        centroid = [*latmix, "centroid", "--demo", "faces", "-n", "8", "--steps", "2", "-q"]
        out = ["-o", f"{home}/out.png"]
        taken = timed([*centroid, *out], home)
        report("latmix centroid of stored latents, 2 steps", taken, needed, "import")


def timed(command: list[str], home: str) -> float:
    environment = {**os.environ, "LATMIX_HOME": home}
    return seconds(
        lambda: subprocess.run(command, env=environment, check=True, capture_output=True), 5
    )
