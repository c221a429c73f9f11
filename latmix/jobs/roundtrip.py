"""The job that measures inversion: generate each picture again and compare.

The VAE's own reconstruction is the bound: no inversion can bring back what the VAE has lost.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass

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


@dataclass(frozen=True)
class RoundTrip:
    """One picture's reconstructions: PSNR in dB, SSIM, and where it was asked for LPIPS."""

    psnr: Likeness
    ssim: Likeness
    lpips: Likeness | None = None

    @classmethod
    def of(
        cls,
        picture: Image.Image,
        bound: Image.Image,
        again: Image.Image,
        lpips: Measure | None = None,
    ) -> RoundTrip:
        """What a picture, its VAE's reconstruction and its round trip show."""
        pairs = ((bound, picture), (again, picture), (again, bound))
        measures = (psnr, ssim, lpips) if lpips else (psnr, ssim)
        return cls(*(Likeness(*(like(*pair) for pair in pairs)) for like in measures))

    @classmethod
    def mean(cls, trips: Sequence[RoundTrip]) -> RoundTrip:
        """The mean of each figure."""
        columns = zip(*(trip.measures.values() for trip in trips), strict=True)
        return cls(*(Likeness.mean(column) for column in columns))

    @property
    def measures(self) -> dict[str, Likeness]:
        """Those that were taken, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def as_json(self) -> dict[str, dict[str, float]]:
        return {name: asdict(value) for name, value in self.measures.items()}


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
        trips.extend([RoundTrip.of(*each, lpips) for each in made])

    limit = bench.limit_for(settings.size)
    yield from in_batches(len(inversion.rows), bench.batch, limit, compare)
    return tuple(trips)
