"""The noise a picture was made from against the noise its inversion finds: L&K section 4.1.

Sample eps ~ N(0, I), generate with the prompt, perturb the picture with a little Gaussian noise,
invert, and compare the centroids of both: the inverted latents share a bias, the samples do not.
Pictures are kept as files, so that a run that was stopped goes on where it was, and their latents
lie in the store like those of any pictures.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from latmix.disk import make_folder
from latmix.images.files import content_hash
from latmix.images.pictures import read_picture
from latmix.images.png import write_png
from latmix.jobs.inversion import Inversion, InversionRules, invert_pictures
from latmix.jobs.pictures import PictureRow
from latmix.jobs.progress import Progress, as_part
from latmix.jobs.workbench import Workbench
from latmix.mixing.formula import mix
from latmix.models.pixels import to_pictures, to_pixels
from latmix.sampling.batches import split
from latmix.sampling.generators import watched
from latmix.sampling.settings import GenerationSettings, InversionSettings
from latmix.store.latents import space_id
from latmix.study.noise import decode_clean, generate_clean, sample_noise


@dataclass(frozen=True)
class Samples:
    """Pictures made from known noise.

    Attributes:
        noise: (N, C, H, W), what they were made from.
        folder: where their files are.
        paths: by perturbation, the pictures' files in the order of the noise.
    """

    noise: Tensor
    folder: Path
    paths: dict[float, tuple[Path, ...]]


@dataclass(frozen=True)
class SampleSettings:
    """What samples depend on, beside the model.

    Attributes:
        perturbations: standard deviations of the noise added to pixels, whose range is 0 to 1.
    """

    prompt: str
    size: tuple[int, int]
    generation: GenerationSettings
    perturbations: tuple[float, ...]
    seed: int

    def __post_init__(self) -> None:
        if not all(0 <= p <= 1 for p in self.perturbations):
            raise ValueError(f"perturbations must be from 0 to 1, not {self.perturbations}.")


@dataclass(frozen=True)
class Comparison:
    """How far latents are from the noise that their pictures were made from.

    Attributes:
        norm_ratio: root mean square of |z| / sqrt(L).
        cosine: mean over the pictures of that between z and the noise.
        largest_channel_mean: of the channels' means over all latents, in size.
    """

    norm_ratio: float
    cosine: float
    largest_channel_mean: float


def make_samples(
    bench: Workbench, home: Path, settings: SampleSettings, count: int
) -> Generator[Progress, None, Samples]:
    """Sample noise, generate, perturb; pictures whose files are there are not made again.

    Args:
        home: a folder for samples; these get one of their own inside it.
        count: N; a larger one keeps the pictures of a smaller one.

    Raises:
        StoreError, LatmixError: the files cannot be written.
    """
    shape = bench.source.latent_shape(settings.size)
    noise = sample_noise(count, shape, settings.seed)
    folder = home / _identity(bench, settings)
    make_folder(folder)
    plain = [folder / f"{index:05}.png" for index in range(count)]
    missing = [index for index, path in enumerate(plain) if not path.exists()]
    for part in split(missing, bench.batch):
        made = count - len(missing) + missing.index(part[0])
        job = generate_clean(bench, noise[list(part)], settings.prompt, settings.generation)
        clean = yield from watched(job, as_part(made, count))
        pictures = yield from decode_clean(bench, clean)
        for index, picture in zip(part, pictures, strict=True):
            write_png(picture, plain[index])
    paths = {}
    for perturbation in settings.perturbations:
        paths[perturbation] = tuple(_perturbed(plain, perturbation, settings.seed))
        yield Progress("perturb", len(paths), len(settings.perturbations))
    return Samples(noise, folder, paths)


def perturb(picture: Image.Image, perturbation: float, source: torch.Generator) -> Image.Image:
    """The picture with Gaussian noise on every pixel and channel, clipped, in 8 bits."""
    pixels = to_pixels([picture])
    noise = torch.randn(pixels.shape, generator=source)
    return to_pictures(pixels + 2 * perturbation * noise)[0]


def invert_samples(
    bench: Workbench,
    samples: Samples,
    perturbation: float,
    prompt: str,
    settings: InversionSettings,
) -> Generator[Progress, None, Inversion]:
    """The latents of perturbed samples, into the store.

    Raises:
        PictureError: a sample's file was removed or damaged meanwhile.
    """
    paths = samples.paths[perturbation]
    rows = [PictureRow(path, content_hash(path), prompt) for path in paths]
    return invert_pictures(bench, rows, settings, "", InversionRules(strict=True))


def compare_latents(latents: Tensor, noise: Tensor) -> Comparison:
    """Latents (N, C, H, W) against the noise of the same pictures."""
    both = latents.double(), noise.double()
    cosines = torch.cosine_similarity(both[0].flatten(1), both[1].flatten(1), dim=1)
    largest = both[0].mean(dim=(0, 2, 3)).abs().max()
    ratio = both[0].square().mean().sqrt()
    return Comparison(float(ratio), float(cosines.mean()), float(largest))


def centroid_pictures(
    bench: Workbench,
    sources: Sequence[Tensor],
    counts: Sequence[int],
    method: str,
    prompt: str,
    settings: GenerationSettings,
) -> Generator[Progress, None, list[list[Image.Image]]]:
    """The centroid of the first N latents of each source: a row a source, a column an N."""
    mixed = [mix(latents[:count], method=method) for latents in sources for count in counts]
    clean = yield from generate_clean(bench, torch.stack(mixed), prompt, settings)
    pictures = yield from decode_clean(bench, clean)
    return [list(row) for row in split(pictures, len(counts))]


def _identity(bench: Workbench, settings: SampleSettings) -> str:
    """The name of the folder: of the model and of all that the unperturbed samples depend on."""
    return space_id(
        {
            "study": "recipe",
            "fingerprint": bench.source.fingerprint,
            "dtype": bench.dtype,
            "prompt": settings.prompt,
            "size": list(settings.size),
            "generation": settings.generation.as_json(),
            "seed": settings.seed,
        }
    )


def _perturbed(plain: Sequence[Path], perturbation: float, seed: int) -> Iterator[Path]:
    """The files of perturbed pictures, made where they are missing; 0 is the pictures' own."""
    for index, path in enumerate(plain):
        target = path.with_stem(f"{path.stem}-{perturbation:g}") if perturbation else path
        if not target.exists():
            source = torch.Generator().manual_seed((seed << 20) + index)
            write_png(perturb(read_picture(path), perturbation, source), target)
        yield target
