"""The job that measures inversion: generate each picture again and compare.

The VAE's own reconstruction is the bound: no inversion can bring back what the VAE has lost.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from PIL import Image

from latmix.jobs.inversion import Inversion
from latmix.jobs.progress import Progress
from latmix.jobs.workbench import Workbench
from latmix.measures.likeness import Measure, psnr, ssim
from latmix.sampling.batches import in_batches
from latmix.sampling.generators import watched
from latmix.sampling.pictures import generate_batch, prepare
from latmix.sampling.settings import GenerationSettings
from latmix.sampling.solvers import find_solver
from latmix.sampling.trajectory import Step


@dataclass(frozen=True)
class Likeness:
    """A measure of how alike one picture's reconstructions are.

    Attributes:
        vae: the VAE's reconstruction against the picture: the bound.
        picture: inverted and generated again, against the picture.
        reconstruction: the same against the VAE's reconstruction: the inversion's own error.
    """

    vae: float
    picture: float
    reconstruction: float

    @classmethod
    def mean(cls, rows: Sequence[Likeness]) -> Likeness:
        """The mean of each figure."""
        values = zip(*(vars(row).values() for row in rows), strict=True)
        return cls(*(sum(column) / len(rows) for column in values))


RoundTrip = dict[str, Likeness]
"""One picture's reconstructions: "psnr" in dB, "ssim", and where it was asked for "lpips"."""


def likeness(
    picture: Image.Image, bound: Image.Image, again: Image.Image, lpips: Measure | None = None
) -> RoundTrip:
    """What a picture, its VAE's reconstruction and its round trip show."""
    pairs = ((bound, picture), (again, picture), (again, bound))
    measures = {"psnr": psnr, "ssim": ssim} | ({"lpips": lpips} if lpips else {})
    return {name: Likeness(*(like(*pair) for pair in pairs)) for name, like in measures.items()}


def mean_trip(trips: Sequence[RoundTrip]) -> RoundTrip:
    """The mean of each figure."""
    return {name: Likeness.mean([trip[name] for trip in trips]) for name in trips[0]}


def trip_json(trip: RoundTrip) -> dict[str, dict[str, float]]:
    """A picture's reconstructions as JSON has them."""
    return {name: vars(value) for name, value in trip.items()}


def round_trips(
    bench: Workbench,
    inversion: Inversion,
    *,
    guidance: float | None = None,
    lpips: Measure | None = None,
) -> Generator[Progress, None, tuple[RoundTrip, ...]]:
    """Generate every picture of an inversion again, with its own prompt and settings.

    Args:
        guidance: while generating; None is the inversion's own.
        lpips: `measures.lpips`, where that is to be measured too.

    Raises:
        PictureError: a picture can no longer be read. StoreError: a latent is damaged.
    """
    settings = inversion.settings
    generates = find_solver(settings.solver).generates
    scale = settings.guidance if guidance is None else guidance
    generation = GenerationSettings(scale, settings.steps, settings.negative, generates)
    trips: list[RoundTrip] = []
    model = yield from bench.loaded(len(inversion.rows))

    def tell(step: Step) -> Progress:
        place, active = str(bench.device), len(step.clean)
        total = len(inversion.rows)
        return Progress("verify", len(trips), total, step.done, step.total, active, place)

    def compare(part: range) -> Generator[Progress, None, None]:
        rows = inversion.rows[part.start : part.stop]
        pictures = [prepare(row.path, settings) for row in rows]
        bounds = model.decode(model.encode(pictures))
        latents = inversion.read(rows)
        conditioning = model.condition([row.prompt for row in rows])
        steps = generate_batch(model, latents, conditioning, generation)
        clean = yield from watched(steps, tell)
        made = zip(pictures, bounds, model.decode(clean), strict=True)
        trips.extend([likeness(*each, lpips) for each in made])

    limit = bench.limit_for(settings.size)
    yield from in_batches(len(inversion.rows), bench.batch, limit, compare)
    return tuple(trips)
