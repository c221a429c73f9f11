"""How near drafts come to the whole picture: `python tests/benchmarks/drafts.py`.

Mixtures of built-in pictures are generated in 50 steps, by DPM-Solver++(2M) in a few, and by DDIM
in as few; PSNR in dB against the 50 steps, mean over the mixtures.
"""

from __future__ import annotations

import torch

import latmix
from latmix import demo
from latmix.images.folders import find_pictures
from latmix.measures.likeness import psnr
from latmix.models.loading import load_model

PROMPT = "an emoji of a heart"
MIXTURES = 2
DRAFTS = (8, 10, 12)


def main() -> None:
    model = load_model("mini", device="cpu")
    paths = find_pictures([demo.folder("hearts")])[: 2 * MIXTURES]
    latents = latmix.invert(model, paths, PROMPT, solver="ddim")
    pairs = latents.unflatten(0, (MIXTURES, 2))
    mixed = torch.stack([latmix.mix(pair) for pair in pairs])
    print("guidance  steps  DPM-Solver++  DDIM")
    for guidance in (3.0, 7.5):
        whole = latmix.generate(model, mixed, PROMPT, guidance=guidance)
        for steps in DRAFTS:
            ours = latmix.generate(model, mixed, PROMPT, guidance=guidance, draft=steps)
            plain = latmix.generate(model, mixed, PROMPT, guidance=guidance, steps=steps)
            near, far = (
                sum(psnr(*pair) for pair in zip(made, whole, strict=True)) / MIXTURES
                for made in (ours, plain)
            )
            print(f"{guidance:8g}  {steps:5}  {near:12.1f}  {far:4.1f}", flush=True)


if __name__ == "__main__":
    main()
