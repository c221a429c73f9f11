"""Mixing and statistics beside a copy, a bare matrix product and a frame of a screen."""

from __future__ import annotations

import torch

import latmix
from latmix.mixing.blocks import blocks
from latmix.mixing.formula import weight_table
from latmix.mixing.gram import Gram
from latmix.mixing.health import latents_health
from latmix.mixing.live import LiveStatistics
from latmix.mixing.splits import LARGEST_CUTOFF
from latmix.mixing.summary import Summary
from latmix.models.loading import load_model
from latmix.sampling.generators import drained
from latmix.sampling.levels import Levels
from latmix.sampling.trajectory import Guidance
from tests.benchmarks.measure import report, seconds
from tests.support.walks import generate, invert


def mixing() -> None:
    """96 latents of SD 3.5 at 1024 pixels: 16 x 128 x 128."""
    latents = torch.randn(96, 16, 128, 128)
    many = torch.rand(16, 96)
    copy = seconds(latents.clone)
    report("copy of the latents (memory bandwidth)", copy, copy, "copy")
    report("mix, one weighting", seconds(lambda: latmix.mix(latents)), copy, "copy")
    report("mix, 16 weightings", seconds(lambda: latmix.mix(latents, many)), copy, "copy")
    summary, gram = Summary.of(latents), Gram.of(latents, LARGEST_CUTOFF)

    def read(indices: object) -> object:
        return blocks(latents[list(indices)])  # type: ignore[call-overload]

    weights = [1.0 + index for index in range(96)]
    quick = LiveStatistics(summary, read, gram)  # type: ignore[arg-type]
    frame = 1 / 60
    budget = 1e-3
    for method in (
        "nin/lp:1",
        "nin/chm",
        "fix/0",
        "nin/lp:2",
        "nin/lp:auto",
        "clol/chm",
        "slerp/chm",
        "nao/chm",
    ):
        change = seconds(lambda m=method: quick.statistics(weights, m), 50)
        report(f"statistics after a weight change, {method}", change, budget, "1 ms")
        left_out = seconds(lambda m=method: quick.inputs(weights, m), 50)
        report(f"angles and leave-one-out, {method}", left_out, change, "the same")
    every = seconds(lambda: latents_health(latents), 1)
    report("health of the latents", every, copy, "copy")
    running = LiveStatistics(summary, read)  # type: ignore[arg-type]
    mixture = latmix.Mixture.equal(str(index) for index in range(96))
    running.statistics(mixture.weights, "nin/chm")
    steps = iter(range(1000))

    def nudge() -> None:
        nonlocal mixture
        mixture = mixture.nudge(str(next(steps) % 96), 0.01)
        running.statistics(mixture.weights, "nin/chm")

    report("the same, running sum", seconds(nudge, 50), frame, "frame")
    table = weight_table(weights, 96, torch.device("cpu"))
    report("the variance alone", seconds(lambda: gram.channel_variance(table[0])), frame, "frame")


def centroids() -> None:
    """1000 centroids of 64 out of 1000 latents of SD 1.5 at 512 pixels: 4 x 64 x 64."""
    latents = torch.randn(1000, 4, 64, 64)
    chosen = torch.rand(1000, 1000).argsort(dim=1)[:, :64]
    weights = torch.zeros(1000, 1000).scatter(1, chosen, 1 / 64)
    flat = latents.flatten(1)
    product = seconds(lambda: weights @ flat, 3)
    report("bare matrix product, float32", product, product, "product")

    def naive() -> list[torch.Tensor]:
        return [latents[row].mul(1 / 64).sum(dim=0) for row in chosen]

    report("stack and sum, one by one (no normalisation)", seconds(naive, 3), product, "product")
    for method in ("nin/lp:1", "nin/chm", "fix/0", "coh/m", "lol/chm", "adain/chm", "nin/lp:2",
                   "nin/lp:8", "nin/lp:auto", "clol/chm", "slerp/chm"):  # fmt: skip
        taken = seconds(lambda m=method: latmix.mix(latents, weights, m), 3)
        report(f"mix, {method}", taken, product, "product")


def live() -> None:
    """Statistics of every norm target after a weight change, N = 96, 16 x 128 x 128."""
    gram = Gram.of(torch.randn(96, 16, 128, 128), LARGEST_CUTOFF)
    quick = LiveStatistics(gram.summary, lambda _: iter(()), gram)
    weights = [1.0 + index for index in range(96)]
    for method in (*(name for name in latmix.methods() if name.endswith("/chm")), "nin/lp:auto"):
        change = seconds(lambda m=method: quick.statistics(weights, m), 50)
        report(f"statistics after a weight change, {method}", change, 1e-3, "1 ms")
    every = seconds(lambda: [quick.statistics(weights, name) for name in latmix.methods()])
    report("the same of every method of the grid", every, 1 / 60, "frame")


def inversion() -> None:
    """Eight latents of the built-in model, 20 steps."""
    model = load_model("mini", device="cpu")
    noise = torch.randn(8, *model.source.latent_shape(model.source.size))
    levels = Levels.of(model.schedule, 20)
    guidance = Guidance(model.condition([""] * 8))
    clean = drained(generate(model, noise, levels, guidance))
    once = seconds(lambda: drained(generate(model, noise, levels, guidance)), 3)
    report("generate 8, 20 steps, mini", once, once, "generation")
    for solver in ("ddim", "fixed-point"):
        taken = seconds(lambda s=solver: drained(invert(model, clean, levels, guidance, s)), 3)
        report(f"invert the same, {solver}", taken, once, "generation")


def main() -> None:
    mixing()
    centroids()
    live()
    inversion()
