"""The job that measures inversion: generate each picture again and compare.

The VAE's own reconstruction is the bound: no inversion can bring back what the VAE has lost.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass

from PIL import Image

from latmix.jobs.inversion import Inversion
from latmix.jobs.progress import Progress
from latmix.jobs.workbench import Workbench
from latmix.models.pixels import to_pixels
from latmix.sampling.generators import watched
from latmix.sampling.pictures import BATCH, generate_batch, prepare
from latmix.sampling.settings import GenerationSettings
from latmix.sampling.solvers import find_solver
from latmix.sampling.trajectory import Step


@dataclass(frozen=True)
class RoundTrip:
    """PSNR in dB of one picture's reconstructions.

    Attributes:
        vae: the VAE's reconstruction against the picture: the bound.
        picture: inverted and generated again, against the picture.
        reconstruction: the same against the VAE's reconstruction: the inversion's own error.
    """

    vae: float
    picture: float
    reconstruction: float


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal-to-noise ratio in dB of two RGB pictures of one size; at most 100."""
    first, second = to_pixels([one]), to_pixels([other])
    error = float((first.double() - second.double()).square().mean())
    return 100.0 if error == 0 else min(100.0, 10 * math.log10(4.0 / error))


def mean_psnr(trips: Sequence[RoundTrip]) -> dict[str, float]:
    """The mean of each figure."""
    rows = [asdict(trip) for trip in trips]
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def round_trips(
    bench: Workbench, inversion: Inversion, *, batch: int = BATCH
) -> Generator[Progress, None, tuple[RoundTrip, ...]]:
    """Generate every picture of an inversion again, with its own prompt and settings.

    Raises:
        PictureError: a picture can no longer be read. StoreError: a latent is damaged.
    """
    settings = inversion.settings
    generates = find_solver(settings.solver).generates
    generation = GenerationSettings(settings.guidance, settings.steps, settings.negative, generates)
    trips: list[RoundTrip] = []
    if not bench.is_loaded:
        yield Progress("load", 0, len(inversion.rows), note=f"loading {bench.source.name}")
    model = bench.model

    def tell(step: Step) -> Progress:
        place, active = str(bench.device), len(step.clean)
        total = len(inversion.rows)
        return Progress("verify", len(trips), total, step.done, step.total, active, place)

    for first in range(0, len(inversion.rows), batch):
        rows = inversion.rows[first : first + batch]
        pictures = [prepare(row.path, settings) for row in rows]
        bounds = model.decode(model.encode(pictures))
        latents = inversion.read(rows)
        told = model.condition([row.prompt for row in rows])
        steps = generate_batch(model, latents, told, generation)
        clean = yield from watched(steps, tell)
        for picture, bound, again in zip(pictures, bounds, model.decode(clean), strict=True):
            trips.append(RoundTrip(psnr(bound, picture), psnr(again, picture), psnr(again, bound)))
    return tuple(trips)
