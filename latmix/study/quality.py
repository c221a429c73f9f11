"""How good centroids are: those of many random draws, against the class they are drawn from.

For each method and N: sharpness, contrast and saturation as shares of the class's own, and
distances between the sets of pictures in the features of one or more networks. Source: L&K figure 7
and section 6, which use FID and the CLIP distance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from latmix.errors import LatmixError, PictureError
from latmix.images.pictures import read_picture
from latmix.jobs.pictures import Failure
from latmix.jobs.progress import Progress
from latmix.measures.distances import (
    Distance,
    estimate_distance,
    frechet_from,
    kernel_from,
    sampled_distance,
)
from latmix.measures.extractors import Extract
from latmix.measures.intervals import Estimate, estimate
from latmix.measures.qualities import QUALITIES
from latmix.models.pixels import to_pixels
from latmix.models.protocol import Model
from latmix.sampling.batches import split
from latmix.sampling.pictures import prepare
from latmix.sampling.settings import InversionSettings
from latmix.study.cells import MadeCell

Seen = Mapping[str, Tensor]
"""What is kept of a set of pictures: a row each, by quality (n,) and by extractor (n, d)."""


@dataclass(frozen=True)
class Measure:
    """Something that sets of pictures are compared by.

    Attributes:
        name: as it stands in tables.
        meaning: in words.
        best: what the class itself has, or comes near to.
        of: the quality or the extractor that it looks at.
        against: from the class's rows to the distance from them.
        is_mean: over pictures; else it is of the set as a whole.
    """

    name: str
    meaning: str
    best: float
    of: str
    against: Callable[[Tensor], Distance]
    is_mean: bool = False

    def as_json(self) -> dict[str, str | float]:
        return {"name": self.name, "meaning": self.meaning, "best": self.best}

    def estimate(self, distance: Distance, some: Tensor) -> Estimate:
        """The distance of some rows, and its interval."""
        if not self.is_mean:
            return estimate_distance(distance, some)
        return estimate(torch.tensor([distance(row[None]) for row in some], dtype=some.dtype))


def _share_of(known: Tensor) -> Distance:
    """The mean as a share of the known values' mean."""
    whole = float(known.mean())
    return lambda some: float(some.mean()) / whole


def _clip_from(known: Tensor) -> Distance:
    """The mean over pictures of 1 - cos(CLIP(picture), mean of CLIP(class)). L&K section 6."""
    mean = known.double().mean(dim=0)

    def distance(some: Tensor) -> float:
        cosine = torch.nn.functional.cosine_similarity(some.double(), mean[None])
        return float(1 - cosine.mean())

    return distance


SHARES = tuple(
    Measure(name, f"{one.meaning}, as a share of the class's", 1.0, name, _share_of, is_mean=True)
    for name, one in QUALITIES.items()
)

FORMULAS = {frechet_from: "Frechet distance", kernel_from: "squared MMD"}

DISTANCES = (
    *(
        Measure(name, f"{FORMULAS[against]} in features of {network}", 0.0, extractor, against)
        for extractor, name, against, network in (
            ("vae", "Frechet, VAE", frechet_from, "the model's own VAE"),
            ("efficientnet", "Frechet, EfficientNet", frechet_from, "EfficientNet-Lite0"),
            ("efficientnet", "kernel, EfficientNet", kernel_from, "EfficientNet-Lite0"),
            ("inception", "FID", frechet_from, "Inception (Heusel et al.)"),
            ("inception", "KID", kernel_from, "Inception (Binkowski et al.)"),
        )
    ),
    Measure(
        "CLIP distance",
        "1 - cos with the class's mean CLIP embedding",
        0.0,
        "clip",
        _clip_from,
        is_mean=True,
    ),
)

CLASS, VAE = "the class", "the VAE alone"
"""What stands in a method's place where the class's own pictures, or the VAE's, are scored."""

DECODED = 64
"""Pictures of the class that the VAE is measured on: a decode costs as much as some steps."""


@dataclass(frozen=True)
class Score:
    """A measure of the centroids of N pictures under a method."""

    method: str
    count: int
    measure: str
    value: Estimate


def measures_of(names: Iterable[str]) -> list[Measure]:
    """All measures where these extractors are used, in the order they are shown."""
    return [*SHARES, *(measure for name in names for measure in DISTANCES if measure.of == name)]


@dataclass(frozen=True)
class Scoring:
    """How sets of pictures are looked at.

    Attributes:
        settings: pictures of the class are brought to the size that these encode.
        batch: pictures at a time.
    """

    settings: InversionSettings
    extractors: Mapping[str, Extract]
    batch: int

    def distances(self, known: Seen) -> list[tuple[Measure, Distance]]:
        """Every measure, with the distance from the class."""
        measures = measures_of(self.extractors)
        return [(measure, measure.against(known[measure.of])) for measure in measures]


def see_class(
    paths: Sequence[Path], scoring: Scoring
) -> Generator[Progress, None, tuple[Seen, list[Failure]]]:
    """Look at the pictures of the class, as they are encoded; those that cannot be read are named.

    Raises:
        LatmixError: fewer than two can be read.
    """
    failures: list[Failure] = []

    def read(path: Path) -> Image.Image | None:
        try:
            return prepare(path, scoring.settings)
        except PictureError as error:
            failures.append(Failure(path, str(error)))
            return None

    seen = yield from _see("class", paths, read, scoring)
    if len(seen.get(SHARES[0].of, ())) < 2:
        raise LatmixError(
            "Fewer than two pictures of the class can be read: there is nothing to compare with.",
            "Name a folder with more pictures.",
        )
    return seen, failures


def score_cells(
    made: Sequence[MadeCell], known: Seen, scoring: Scoring
) -> Generator[Progress, None, list[Score]]:
    """Every measure of every method and N.

    Raises:
        PictureError: a centroid was removed or damaged meanwhile.
    """
    distances = scoring.distances(known)
    scores: list[Score] = []
    groups = list(dict.fromkeys((cell.cell.method, cell.cell.count) for cell in made))
    for done, group in enumerate(groups):
        yield Progress("compare", done, len(groups))
        paths = [m.path for m in made if (m.cell.method, m.cell.count) == group]
        seen = yield from _see("look", paths, read_picture, scoring)
        scores += [
            Score(*group, measure.name, measure.estimate(distance, seen[measure.of]))
            for measure, distance in distances
        ]
    return scores


def score_bounds(
    model: Model, paths: Sequence[Path], known: Seen, draws: int, scoring: Scoring
) -> Generator[Progress, None, list[Score]]:
    """What the scores are to be held against, as two more methods.

    Returns:
        under `CLASS` what as many pictures of the class as there are draws show, and under `VAE`
        the same for what the model's VAE leaves of them: no method brings back more. The count is
        the number of draws.
    """

    def reconstructed(path: Path) -> Image.Image | None:
        try:
            return model.decode(model.encode([prepare(path, scoring.settings)]))[0]
        except PictureError:
            return None

    decoded = yield from _see("decode", paths[:DECODED], reconstructed, scoring)
    distances = scoring.distances(known)
    return [
        Score(name, draws, measure.name, sampled_distance(distance, seen[measure.of], draws))
        for name, seen in ((CLASS, known), (VAE, decoded))
        if seen
        for measure, distance in distances
    ]


def _see(
    phase: str,
    paths: Sequence[Path],
    read: Callable[[Path], Image.Image | None],
    scoring: Scoring,
) -> Generator[Progress, None, Seen]:
    """Look at pictures, a batch at a time, so that memory does not grow with their number; nothing
    is seen where none can be read."""
    rows: dict[str, list[Tensor]] = defaultdict(list)
    for number, part in enumerate(split(paths, scoring.batch)):
        yield Progress(phase, number * scoring.batch, len(paths))
        pictures = [picture for picture in map(read, part) if picture is not None]
        if not pictures:
            continue
        pixels = to_pixels(pictures)
        for name, of in QUALITIES.items():
            rows[name].append(of(pixels).double())
        for name, extract in scoring.extractors.items():
            rows[name].append(extract(pictures))
    return {name: torch.cat(parts) for name, parts in rows.items()}
