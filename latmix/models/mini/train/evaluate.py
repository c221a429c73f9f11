"""The stage `evaluate`: measure a model folder on held-out pictures and print the table.

It loads and uses the model as a user would: `latmix.load_model`, `invert`, `mix`, `generate`.
Reconstruction is measured on emoji kept out of training, on backgrounds as in training and on
white; the centroids mix pictures of one category, most of which the model has seen.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from latmix import generate, invert, load_model
from latmix.measures.distances import features, frechet_distance
from latmix.measures.intervals import Estimate, estimate
from latmix.models.mini.train.centroids import (
    COUNTS,
    METHODS,
    Draw,
    Real,
    Row,
    describe_real,
    measure_row,
    table,
)
from latmix.models.mini.train.dataset import Dataset
from latmix.models.mini.train.pictures import FRAMED, Composer, Variety
from latmix.models.mini.train.sheets import contact_sheet
from latmix.models.mini.train.subjects import CATEGORIES, PAINTED
from latmix.models.pixels import to_pictures, to_pixels
from latmix.models.protocol import Model

CPU = torch.device("cpu")

PARTS = ("reconstruction", "samples", "centroids", "timing")

SOLVERS = {"ddim": "explicit", "fixed-point": "fixed-point"}
"""Of the round trip: the explicit step, DDIM's or Euler's, and latmix's own solver."""

VARIETIES = {"white": FRAMED, "varied": Variety()}
"""How pictures are laid out: centred on white like the demo pictures, or as in training."""


@dataclass(frozen=True)
class Scope:
    """How much is measured.

    Attributes:
        pictures: held-out ones, at most.
        pool: pictures of a category that centroids are drawn from.
        draws: centroids that are generated, per N and method.
        counts: N.
        steps: of every trajectory.
        prompts: of the contact sheet.
        categories: that are mixed.
        guidance: centroids are generated at; 1 shows the latents, not the guidance.
        backgrounds: of the pictures that are mixed: keys of `VARIETIES`.
        parts: what is measured, of `PARTS`.
    """

    pictures: int = 128
    pool: int = 192
    draws: int = 32
    counts: tuple[int, ...] = COUNTS
    steps: int = 50
    prompts: int = 100
    categories: tuple[str, ...] = ("face", "animal")
    guidance: float = 1.0
    backgrounds: tuple[str, ...] = ("white", "varied")
    parts: tuple[str, ...] = PARTS

    @classmethod
    def quick(cls) -> Scope:
        """Some minutes of one core."""
        return cls(pictures=32, pool=144, draws=6, prompts=24, backgrounds=("white",))


@dataclass
class Report:
    """Figures by name, and the lines that show them."""

    figures: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def add(self, name: str, value: Any, shown: str = "") -> None:
        """A figure and its line."""
        self.figures[name] = asdict(value) if isinstance(value, Estimate) else value
        self.lines.append(f"{name:58} {shown or value}")

    def __str__(self) -> str:
        return "\n".join(self.lines)


def evaluate(
    name: str, dataset: Dataset, scope: Scope, device: str = "auto", out: Path | None = None
) -> Report:
    """Measure a model.

    Args:
        name: an exported folder or a catalogue name.
        out: where contact sheets and `evaluation.json` are written.

    Raises:
        LatmixError: the model cannot be loaded.
    """
    report = Report()
    load_model(name, device)
    begin = time.monotonic()
    model = load_model(name, device)
    report.add("loading, s (imports done)", round(time.monotonic() - begin, 2))
    sheets: dict[str, Image.Image] = {}
    with torch.no_grad():
        if "reconstruction" in scope.parts:
            for layout in VARIETIES:
                _reconstruction(report, model, dataset, scope, layout)
        if "samples" in scope.parts:
            sheets["samples"] = _samples(report, model, dataset, scope)
        if "centroids" in scope.parts:
            for category, layout in itertools.product(scope.categories, scope.backgrounds):
                sheet = _centroids(report, model, dataset, scope, category, layout)
                sheets[f"centroids-{category}-{layout}"] = sheet
        if "timing" in scope.parts:
            _timing(report, model, dataset, scope)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for title, sheet in sheets.items():
            sheet.save(out / f"{title}.png")
        content = {"model": name, "scope": asdict(scope), **report.figures}
        (out / "evaluation.json").write_text(json.dumps(content, indent=1) + "\n")
        (out / "evaluation.txt").write_text(f"{report}\n")
    return report


def psnr(one: Tensor, other: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, at most 100: 10 log10(4 / mean square error), (B,)."""
    error = (one.double() - other.double()).square().mean(dim=(1, 2, 3))
    return (10 * torch.log10(4 / error.clamp_min(4e-10))).clamp(max=100)


def compose(
    dataset: Dataset, index: Sequence[int], variety: Variety, seed: int
) -> list[Image.Image]:
    """Pictures of a data set, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    pixels, _ = Composer(dataset, CPU).compose(torch.tensor(index), variety, generator)
    return to_pictures(pixels)


def chosen(dataset: Dataset, count: int, seed: int, **wanted: str) -> list[int]:
    """At most `count` places, at random, in categories that the denoiser learns, as wanted."""
    places = [
        place
        for place, picture in enumerate(dataset.pictures)
        if all(getattr(picture, name) == value for name, value in wanted.items())
        and picture.category in PAINTED
    ]
    order = torch.randperm(len(places), generator=torch.Generator().manual_seed(seed)).tolist()
    return [places[i] for i in order[:count]]


def _reconstruction(
    report: Report, model: Model, dataset: Dataset, scope: Scope, layout: str
) -> None:
    """PSNR of the autoencoder and of the round trip, and the norm of the inverted latents."""
    index = chosen(dataset, scope.pictures, 0, held_out="yes")
    pictures = compose(dataset, index, VARIETIES[layout], seed=1)
    prompts = [f"an emoji of {dataset.pictures[i].name}" for i in index]
    pixels, bound = to_pixels(pictures), to_pixels(model.decode(model.encode(pictures)))
    where = f"{len(index)} held out, {layout}"
    report.add(f"VAE, PSNR, {where}", estimate(psnr(bound, pixels)))
    for solver, title in SOLVERS.items():
        latents = invert(model, pictures, prompts, solver=solver, steps=scope.steps, batch=16)
        again = generate(model, latents, prompts, steps=scope.steps, guidance=1.0, batch=16)
        reached = psnr(to_pixels(again), pixels)
        norm = latents.flatten(1).norm(dim=1) / latents[0].numel() ** 0.5
        lost = reached - psnr(bound, pixels)
        report.add(f"{title} round trip, PSNR, {where}", estimate(reached))
        report.add(f"the same less the VAE's, {title}, {where}", estimate(lost))
        report.add(f"{title} latents, norm/sqrt(L), {where}", estimate(norm))


def _samples(report: Report, model: Model, dataset: Dataset, scope: Scope) -> Image.Image:
    """A contact sheet of samples at the model's own guidance, and their distance."""
    index = chosen(dataset, scope.prompts, 5, held_out="no")
    names = [dataset.pictures[i].name for i in index]
    width, height = model.source.size
    shape = (len(index), *model.source.latent_shape((width, height)))
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(6))
    prompts = [f"an emoji of {name}" for name in names]
    pictures = generate(model, noise, prompts, steps=scope.steps, batch=16)
    seen = features(model.encode(pictures).cpu())
    rest = chosen(dataset, 1000 + len(index), 7, held_out="no")
    some = compose(dataset, rest[: len(index)], Variety(), seed=8)
    real = compose(dataset, rest[len(index) :], Variety(), seed=9)
    known = features(model.encode(real).cpu())
    floor = frechet_distance(features(model.encode(some).cpu()), known)
    label = f"{len(index)} samples, Frechet distance of VAE features"
    shown = f"{frechet_distance(seen, known):.2f} (as many real pictures: {floor:.2f})"
    report.add(label, {"samples": frechet_distance(seen, known), "real": floor}, shown)
    return contact_sheet(pictures, names, columns=10)


def _centroids(
    report: Report, model: Model, dataset: Dataset, scope: Scope, category: str, layout: str
) -> Image.Image:
    """The effect of mixing pictures of a category; returns a sheet, a row for each N and method."""
    index = chosen(dataset, scope.pool, 3, category=category)
    held_out = int(dataset.held_out[index].sum())
    pictures = compose(dataset, index, VARIETIES[layout], seed=4)
    prompt = f"an emoji of {CATEGORIES[category]}"
    latents = invert(model, pictures, prompt, steps=scope.steps, solver="ddim", batch=16)
    real = describe_real(model, pictures, scope.draws)
    rows, shown, labels = [], [], []
    for count in (n for n in scope.counts if n <= len(index)):
        for method in METHODS:
            draw = Draw(prompt, scope.draws, scope.steps, scope.guidance)
            row, made = measure_row(model, latents, real, count, method, draw)
            rows.append(row)
            shown += made[:6]
            labels += [f"N={count} {method}"] * len(made[:6])
    _tell(report, f"{category}, {layout}", real, rows, scope)
    report.lines.append(f"    {len(index)} pictures, {held_out} of them held out from training")
    return contact_sheet(shown, labels, columns=min(6, scope.draws) * len(METHODS))


def _tell(report: Report, category: str, real: Real, rows: Sequence[Row], scope: Scope) -> None:
    values = ", ".join(f"{name} {value:.1f}" for name, value in real.qualities.items())
    decoded = ", ".join(f"{name} {value:.2f}" for name, value in real.decoded.items())
    report.figures[f"centroids of {category}"] = {
        "real": real.qualities,
        "decoded": real.decoded,
        "distance": real.distance,
        "rows": [row.as_json() for row in rows],
    }
    report.lines += ["", f"centroids of {category}: shares of the real pictures' {values};"]
    report.lines.append(f"    the VAE alone leaves {decoded} of it;")
    report.lines.append(
        f"    guidance {scope.guidance:g}, {scope.draws} draws generated; Frechet distance of VAE "
        f"features; {scope.draws} real pictures: {real.distance:.2f}"
    )
    report.lines += [f"    {line}" for line in table(rows)]


def _timing(report: Report, model: Model, dataset: Dataset, scope: Scope) -> None:
    """The seconds that eight pictures take."""
    pictures = compose(dataset, chosen(dataset, 8, 11), FRAMED, seed=12)
    prompt = "an emoji of a face"
    begin = time.monotonic()
    latents = invert(model, pictures, prompt, steps=scope.steps, solver="ddim", batch=8)
    middle = time.monotonic()
    generate(model, latents, prompt, steps=scope.steps, guidance=1.0, batch=8)
    end = time.monotonic()
    generate(model, latents, prompt, steps=scope.steps, batch=8)
    last = time.monotonic()
    report.lines.append("")
    place = f"{model.device}, {torch.get_num_threads()} threads"
    report.add(
        f"invert 8 pictures, {scope.steps} explicit steps, s ({place})", round(middle - begin, 2)
    )
    report.add("generate 8 at guidance 1, s", round(end - middle, 2))
    report.add(f"generate 8 at guidance {model.source.guidance:g}, s", round(last - end, 2))
