"""How good centroids are: those of many random draws, against the class they are drawn from.

For each method and N: sharpness, contrast and saturation as shares of the class's own, and
distances between the sets of pictures in the features of one or more networks. Source: L&K figure 7
and section 6, which use FID and the CLIP distance.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from PIL import Image
from torch import Tensor

from latmix.errors import LatmixError, PictureError
from latmix.images import read_picture
from latmix.jobs.pictures import Failure
from latmix.jobs.progress import Progress
from latmix.measures.distances import (
    Distance,
    estimate_distance,
    frechet_from,
    kernel_from,
    sampled_distance,
)
from latmix.measures.extractors import Extractor
from latmix.measures.intervals import Estimate, estimate
from latmix.measures.qualities import QUALITIES
from latmix.models.pixels import to_pixels
from latmix.models.protocol import Model
from latmix.sampling.pictures import prepare
from latmix.sampling.settings import InversionSettings
from latmix.study.cells import MadeCell

Item = TypeVar("Item")


@dataclass(frozen=True)
class Measure:
    """Something that sets of pictures are compared by.

    Attributes:
        name: as it stands in tables.
        meaning: in words.
        best: what the class itself has, or comes near to.
    """

    name: str
    meaning: str
    best: float


SHARES = (
    Measure("sharpness", "variance of the Laplacian of the luma, as a share of the class's", 1.0),
    Measure("contrast", "standard deviation of the luma, as a share of the class's", 1.0),
    Measure("saturation", "mean saturation, as a share of the class's", 1.0),
)

DISTANCES = {
    "vae": (Measure("Frechet, VAE", "Frechet distance in features of the model's own VAE", 0.0),),
    "efficientnet": (
        Measure("Frechet, EfficientNet", "Frechet distance in features of EfficientNet-Lite0", 0.0),
        Measure("kernel, EfficientNet", "squared MMD in features of EfficientNet-Lite0", 0.0),
    ),
    "inception": (
        Measure("FID", "Frechet distance in features of Inception (Heusel et al.)", 0.0),
        Measure("KID", "squared MMD in features of Inception (Binkowski et al.)", 0.0),
    ),
    "clip": (Measure("CLIP distance", "1 - cos with the class's mean CLIP embedding", 0.0),),
}
"""By extractor; a Frechet distance first, then a kernel distance, where there are both."""

CLASS, VAE = "the class", "the VAE alone"
"""What stands in a method's place where the class's own pictures, or the VAE's, are scored."""

DECODED = 64
"""Pictures of the class that the VAE is measured on: a decode costs as much as some steps."""


@dataclass(frozen=True)
class Seen:
    """What is kept of a set of pictures.

    Attributes:
        qualities: sharpness, contrast and saturation, (n,) each.
        features: by extractor, (n, d).
    """

    qualities: Mapping[str, Tensor]
    features: Mapping[str, Tensor]


@dataclass(frozen=True)
class Score:
    """A measure of the centroids of N pictures under a method."""

    method: str
    count: int
    measure: str
    value: Estimate


def measures_of(names: Sequence[str]) -> list[Measure]:
    """All measures where these extractors are used, in the order they are shown."""
    return [*SHARES, *(measure for name in names for measure in DISTANCES[name])]


def see_class(
    paths: Sequence[Path],
    settings: InversionSettings,
    extractors: Sequence[Extractor],
    batch: int,
) -> Generator[Progress, None, tuple[Seen, list[Failure]]]:
    """Look at the pictures of the class, as they are encoded; those that cannot be read are named.

    Raises:
        LatmixError: fewer than two can be read.
    """
    failures: list[Failure] = []

    def read(path: Path) -> Image.Image | None:
        try:
            return prepare(path, settings)
        except PictureError as error:
            failures.append(Failure(path, str(error)))
            return None

    seen = yield from _see("class", paths, read, extractors, batch)
    if seen is None or len(next(iter(seen.qualities.values()))) < 2:
        raise LatmixError(
            "Fewer than two pictures of the class can be read: there is nothing to compare with.",
            "Name a folder with more pictures.",
        )
    return seen, failures


def score_cells(
    made: Sequence[MadeCell], known: Seen, extractors: Sequence[Extractor], batch: int
) -> Generator[Progress, None, list[Score]]:
    """Every measure of every method and N.

    Raises:
        PictureError: a centroid was removed or damaged meanwhile.
    """
    distances = _all_distances(known)
    scores: list[Score] = []
    groups = list(dict.fromkeys((cell.cell.method, cell.cell.count) for cell in made))
    for done, (method, count) in enumerate(groups):
        yield Progress("compare", done, len(groups))
        paths = [m.path for m in made if (m.cell.method, m.cell.count) == (method, count)]
        seen = yield from _see("look", paths, read_picture, extractors, batch)
        if seen is not None:
            found = _scores(seen, known, distances)
            scores += [Score(method, count, name, value) for name, value in found.items()]
    return scores


def score_bounds(
    model: Model,
    paths: Sequence[Path],
    settings: InversionSettings,
    known: Seen,
    draws: int,
    extractors: Sequence[Extractor],
    batch: int,
) -> Generator[Progress, None, list[Score]]:
    """What the scores are to be held against, as two more methods.

    Returns:
        under `CLASS` what as many pictures of the class as there are draws show, and under `VAE`
        the same for what the model's VAE leaves of them: no method brings back more. The count is
        the number of draws.
    """
    bounds = _bounds(CLASS, known, known, draws)
    some = paths[:DECODED]

    def reconstructed(path: Path) -> Image.Image | None:
        try:
            return model.decode(model.encode([prepare(path, settings)]))[0]
        except PictureError:
            return None

    seen = yield from _see("decode", some, reconstructed, extractors, batch)
    return bounds if seen is None else bounds + _bounds(VAE, seen, known, draws)


def _scores(
    seen: Seen, known: Seen, distances: Mapping[str, Mapping[str, Distance]]
) -> dict[str, Estimate]:
    shares = {
        name: estimate(values / known.qualities[name].mean())
        for name, values in seen.qualities.items()
    }
    return shares | {
        name: _estimated(extractor, distance, seen.features[extractor])
        for extractor, all_of in distances.items()
        for name, distance in all_of.items()
    }


def _estimated(extractor: str, distance: Distance, some: Tensor) -> Estimate:
    """A CLIP distance is a mean over pictures; the others are of the set."""
    if extractor == "clip":
        return estimate(torch.tensor([distance(row[None]) for row in some]))
    return estimate_distance(distance, some)


def _bounds(name: str, seen: Seen, known: Seen, draws: int) -> list[Score]:
    """What samples of the pictures seen, as many as there are draws, show against the class."""
    shares = {
        quality: sampled_distance(_share_of(known.qualities[quality]), values, draws)
        for quality, values in seen.qualities.items()
    }
    found = shares | {
        measure: sampled_distance(distance, seen.features[extractor], draws)
        for extractor, all_of in _all_distances(known).items()
        for measure, distance in all_of.items()
    }
    return [Score(name, draws, measure, value) for measure, value in found.items()]


def _all_distances(known: Seen) -> dict[str, dict[str, Distance]]:
    return {name: _distances(name, rows) for name, rows in known.features.items()}


def _distances(extractor: str, known: Tensor) -> dict[str, Distance]:
    """The distances from the class, by the name of their measure."""
    kinds = (_clip_from,) if extractor == "clip" else (frechet_from, kernel_from)
    pairs = zip(DISTANCES[extractor], kinds, strict=False)
    return {measure.name: kind(known) for measure, kind in pairs}


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


def _see(
    phase: str,
    paths: Sequence[Path],
    read: Callable[[Path], Image.Image | None],
    extractors: Sequence[Extractor],
    batch: int,
) -> Generator[Progress, None, Seen | None]:
    """Look at pictures, a batch at a time, so that memory does not grow with their number."""
    qualities: dict[str, list[Tensor]] = {name: [] for name in QUALITIES}
    features: dict[str, list[Tensor]] = {extractor.name: [] for extractor in extractors}
    for done, part in _parts(paths, batch):
        yield Progress(phase, done, len(paths))
        pictures = [picture for picture in map(read, part) if picture is not None]
        if not pictures:
            continue
        pixels = to_pixels(pictures)
        for name, of in QUALITIES.items():
            qualities[name].append(of(pixels).double())
        for extractor in extractors:
            features[extractor.name].append(extractor.extract(pictures))
    if not qualities["sharpness"]:
        return None
    return Seen(
        {name: torch.cat(rows) for name, rows in qualities.items()},
        {name: torch.cat(rows) for name, rows in features.items()},
    )


def _parts(items: Sequence[Item], size: int) -> Iterator[tuple[int, Sequence[Item]]]:
    for first in range(0, len(items), size):
        yield first, items[first : first + size]
