"""The pictures of a study: one for each method, N and draw, kept as they are made.

Each lies in a folder with its recipe. A later run keeps those whose recipe is the one it would
write, so that a study that was stopped goes on, and adding a method makes its pictures only.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from latmix.disk import make_folder
from latmix.errors import LatmixError
from latmix.images.pictures import read_picture
from latmix.jobs.generation import generate_mixtures
from latmix.jobs.inversion import Inversion, InversionRules, invert_pictures
from latmix.jobs.pictures import PictureRow
from latmix.jobs.progress import Progress, as_part
from latmix.jobs.recipes import build_recipe
from latmix.jobs.stored_mixtures import Mixed, mix_stored
from latmix.jobs.workbench import Workbench
from latmix.mixing.grid import parse_method
from latmix.mixing.statistics import Statistics
from latmix.results.recipes import Recipe, read_recipe, write_result
from latmix.sampling.batches import split
from latmix.sampling.generators import watched
from latmix.session.choices import Choices
from latmix.study.draws import Draws


@dataclass(frozen=True)
class Cell:
    """A picture to make: the centroid of N pictures under a method.

    Attributes:
        rows: the N pictures.
        draw: 1, 2, ... of a random draw; 0 for the first pictures.
        seed: of the random draws.
    """

    method: str
    rows: tuple[PictureRow, ...]
    draw: int = 0
    seed: int | None = None

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def file_name(self) -> str:
        """Of its picture, such as nin-chm-n8.png; -2 at its end is the second draw."""
        method = self.method.replace("/", "-").replace(":", "")
        return f"{method}-n{self.count}{f'-{self.draw}' if self.draw else ''}.png"


@dataclass(frozen=True)
class MadeCell:
    """A cell whose picture is on the disk.

    Attributes:
        statistics: of its mixture.
        kept: it was there already.
    """

    cell: Cell
    path: Path
    statistics: Statistics
    kept: bool


@dataclass(frozen=True)
class Grid:
    """A centroid for every method, N and draw, and how they are made.

    Attributes:
        choices: how pictures are inverted and centroids generated.
        folder: where the pictures are kept.
        strict: the first picture that cannot be read ends it.
    """

    draws: Draws
    methods: Sequence[str]
    counts: Sequence[int]
    choices: Choices
    folder: Path
    strict: bool = False

    def cells(self, inversion: Inversion) -> list[Cell]:
        """Method by method, N by N, draw by draw. An N beyond the readable pictures is left out."""
        rows = {count: self.draws.rows(inversion, count) for count in self.counts}
        seed = self.draws.seed
        return [
            Cell(method, chosen, 0 if seed is None else number, seed)
            for method in self.methods
            for count in self.counts
            for number, chosen in enumerate(rows[count], start=1)
            if len(chosen) == count
        ]


def make_cells(
    bench: Workbench, inversion: Inversion, grid: Grid
) -> Generator[Progress, None, list[MadeCell]]:
    """Make the pictures that are not there yet, batch by batch, and the statistics of all.

    Raises:
        ValueError: latents cancel. LatmixError: a picture cannot be written, a latent is damaged.
    """
    make_folder(grid.folder)
    cells, generating = grid.cells(inversion), grid.choices.for_model(bench.source)[1]
    recipes = [_recipe(bench, inversion, cell, grid) for cell in cells]
    paths = [grid.folder / cell.file_name for cell in cells]
    lost = yield from find_lost(bench, inversion, grid)
    missing = _whole_batches(lost, len(cells), bench.batch)
    statistics: dict[int, Statistics] = {}
    for part in split(missing, bench.batch):
        mixed, chosen = mix_cells(inversion, [cells[at] for at in part])
        job = generate_mixtures(bench, chosen, mixed, generating)
        generated = yield from watched(job, as_part(len(statistics), len(missing)))
        for at, picture in zip(part, generated.pictures, strict=True):
            write_result(picture, paths[at], recipes[at])
        statistics.update(zip(part, mixed.statistics, strict=True))
    for part in split([at for at in range(len(cells)) if at not in statistics], bench.batch):
        mixed, _ = mix_cells(inversion, [cells[at] for at in part])
        statistics.update(zip(part, mixed.statistics, strict=True))
        yield Progress("mix", len(statistics), len(cells))
    made = set(missing)
    return [
        MadeCell(cell, paths[at], statistics[at], at not in made) for at, cell in enumerate(cells)
    ]


def invert_grid(bench: Workbench, grid: Grid) -> Generator[Progress, None, Inversion]:
    """Invert what the draws need for the largest N, each picture once.

    Where pictures cannot be read, those that take their places are inverted too.

    Raises:
        LatmixError: as `invert_pictures`.
    """
    draws, count, rules = grid.draws, max(grid.counts), InversionRules(strict=grid.strict)
    settings, template = grid.choices.for_model(bench.source)[0], grid.choices.prompt
    found = yield from invert_pictures(bench, draws.wanted(count), settings, template, rules)
    while True:
        failed = [failure.path for failure in found.failures]
        tried = {*failed, *(row.path for row in found.rows)}
        missing = [path for path in draws.wanted(count, failed) if path not in tried]
        if not missing:
            return found
        more = yield from invert_pictures(bench, missing, settings, template, rules)
        found = _joined(found, more)


def _joined(one: Inversion, other: Inversion) -> Inversion:
    """Both; the later one's view of the store holds what the earlier one has added."""
    summed = ("rows", "failures", "cached", "inverted", "calls", "evaluations", "seconds")
    sums = {name: getattr(one, name) + getattr(other, name) for name in summed}
    return replace(other, **sums, residual=max(one.residual, other.residual))


def find_lost(
    bench: Workbench, inversion: Inversion, grid: Grid
) -> Generator[Progress, None, list[int]]:
    """The places of the cells whose pictures are not there."""
    lost, cells = [], grid.cells(inversion)
    for at, cell in enumerate(cells):
        yield Progress("look", at, len(cells), note="for pictures made before")
        if not is_kept(grid.folder / cell.file_name, _recipe(bench, inversion, cell, grid)):
            lost.append(at)
    return lost


def mix_cells(inversion: Inversion, cells: Sequence[Cell]) -> tuple[Mixed, Inversion]:
    """The mixtures of some cells, and the inversion of just their pictures, to which the mixtures'
    weights belong."""
    chosen = replace(inversion, rows=tuple(dict.fromkeys(row for c in cells for row in c.rows)))
    found: dict[int, tuple[Tensor, Tensor, Statistics]] = {}
    for method in dict.fromkeys(cell.method for cell in cells):
        places = [at for at, cell in enumerate(cells) if cell.method == method]
        table = [_weights(cells[at], chosen.rows) for at in places]
        mixed = mix_stored(chosen, table, parse_method(method))
        each = zip(mixed.latents, mixed.weights, mixed.statistics, strict=True)
        found.update(zip(places, each, strict=True))
    latents, weights, statistics = zip(*(found[at] for at in range(len(cells))), strict=True)
    methods = tuple(parse_method(cell.method) for cell in cells)
    return Mixed(torch.stack(latents), torch.stack(weights), statistics, methods), chosen


def is_kept(path: Path, recipe: Recipe) -> bool:
    """Whether this very result lies there, sound; where its pictures were does not matter."""
    try:
        if not path.exists() or _content(read_recipe(path)) != _content(recipe):
            return False
        read_picture(path)
    except LatmixError:
        return False
    return True


def _content(recipe: Recipe) -> Recipe:
    images = sorted((replace(image, path="") for image in recipe.images), key=lambda i: i.sha256)
    return replace(recipe, images=tuple(images), model={**recipe.model, "name": ""}, asked={})


def _weights(cell: Cell, rows: Sequence[PictureRow]) -> list[float]:
    share = set(cell.rows)
    return [1.0 / cell.count if row in share else 0.0 for row in rows]


def _recipe(bench: Workbench, inversion: Inversion, cell: Cell, grid: Grid) -> Recipe:
    equal = [1.0 / cell.count] * cell.count
    own = replace(inversion, rows=cell.rows)
    asked = replace(grid.choices, method=cell.method, seed=cell.seed)
    return build_recipe(bench, own, equal, asked.for_model(bench.source)[1], asked)


def _whole_batches(missing: list[int], total: int, batch: int) -> list[int]:
    """What to make. Where only an end is missing, its first batch is made whole again: a picture
    may differ in its last bit by its neighbours in a batch, and being stopped shall not show."""
    if not missing or missing != list(range(missing[0], total)):
        return missing
    return list(range(missing[0] - missing[0] % batch, total))
