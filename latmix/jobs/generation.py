"""The job that makes pictures of mixtures: mix stored latents, look at the numbers, generate."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from PIL import Image
from torch import Tensor

from latmix.jobs.inversion import Inversion
from latmix.jobs.progress import Progress
from latmix.jobs.workbench import Workbench
from latmix.mixing.companions import COMPANIONS, Latents
from latmix.mixing.direction import (
    NEEDS_PRODUCTS,
    GramProducts,
    Products,
    StreamedProducts,
    direct,
)
from latmix.mixing.formula import scaled_mixtures, weight_table
from latmix.mixing.gram import GRAM_BYTES, Gram
from latmix.mixing.grid import Method, parse_cutoff
from latmix.mixing.low_pass import Spectrum
from latmix.mixing.statistics import Statistics, sum_statistics
from latmix.mixing.summary import Summary, block_share
from latmix.models.protocol import Conditioning, Model
from latmix.sampling.batches import in_batches
from latmix.sampling.generators import watched
from latmix.sampling.pictures import BATCH, generate_batch
from latmix.sampling.settings import GenerationSettings
from latmix.sampling.trajectory import Step

FAST = torch.float32
"""In which the products of blocks are formed, unless their rounding would be seen."""

LATENT_BYTES = 1 << 29
"""Latents read into memory at once to make a Gram matrix (512 MB)."""


@dataclass(frozen=True)
class Mixed:
    """Mixtures of one set of pictures, not yet generated.

    Attributes:
        latents: (B, C, H, W) float32.
        weights: (B, N), each row summing to 1.
        statistics: one a mixture.
        methods: that made each of them, and mix its companions when it is generated.
    """

    latents: Tensor
    weights: Tensor
    statistics: tuple[Statistics, ...]
    methods: tuple[Method, ...]


@dataclass(frozen=True)
class Generated:
    """Pictures of mixtures, and the seconds it took to make them."""

    pictures: tuple[Image.Image, ...]
    mixed: Mixed
    seconds: float


def mix_stored(
    inversion: Inversion, weights: Sequence[Sequence[float]] | None, method: Method
) -> Mixed:
    """Mix the latents of an inversion, read from the store in blocks.

    Args:
        weights: B rows of N, in the order of the inversion's pictures; None is equal weights.

    Raises:
        ValueError: bad weights, or latents that cancel.
    """
    table = weight_table(weights, len(inversion.keys), torch.device("cpu"))
    summary, first = _summary_and_sums(inversion, table, method)
    direction = direct(method, summary, table, stored_products(inversion, method, summary))
    space, coefficients = inversion.space, direction.coefficients
    statistics: dict[int, Statistics] = {}

    def sums(rows: Tensor, kind: torch.dtype) -> Tensor:
        """Formed block by block in `kind`, and added up in float64."""
        nonlocal first
        totals, first = first, None
        if totals is None:
            totals = stored_sums(inversion, summary, coefficients[rows], kind)
        for row, total in zip(rows.tolist(), totals, strict=True):
            one = direction.rows(slice(row, row + 1))
            statistics[row] = sum_statistics(total, summary, table[row], method, one)
        return totals

    share = block_share(coefficients, summary, space.block_rows)
    mixed = scaled_mixtures(sums, summary, table, direction, method, FAST, share)
    latents = mixed.reshape(len(table), *space.shape)
    shaped = [statistics[row].with_shape(latents[row]) for row in range(len(table))]
    return Mixed(latents.float(), table, tuple(shaped), (method,) * len(table))


def _summary_and_sums(
    inversion: Inversion, weights: Tensor, method: Method
) -> tuple[Summary, Tensor | None]:
    """What a method needs of an inversion's latents, and the plain sums with these weights (B, N)
    where they come of the same pass: a fixed cut-off's spectrum is asked for after the sum."""
    cutoff = parse_cutoff(method.mean)
    if not isinstance(cutoff, float) or method.norm in NEEDS_PRODUCTS:
        return stored_summary(inversion, method), None
    summary = stored_summary(inversion, replace(method, mean="chm"))
    spectrum = Spectrum.empty(summary.count, inversion.space.shape, cutoff, weights)
    look = partial(spectrum.take, largest=cutoff)
    sums = stored_sums(inversion, summary, weights, FAST, look)
    return replace(summary, spectrum=spectrum), sums


def stored_sums(
    inversion: Inversion,
    summary: Summary,
    weights: Tensor,
    kind: torch.dtype,
    look: Callable[[slice, Tensor], None] | None = None,
) -> Tensor:
    """sum_n w_n z_n of an inversion's latents, (B, C, P), for weights (B, N).

    Args:
        kind: in which a block's product is formed; they are added up in the weights' type.
        look: called with each block and its slice, in any order.
    """
    factors = weights.to(kind)
    total = weights.new_zeros(len(weights), summary.length)

    def product(part: slice, block: Tensor) -> Tensor:
        if look:
            look(part, block)
        return factors[:, part] @ block.to(kind).flatten(1)

    for _, found in inversion.space.each_block(inversion.keys, product):
        total += found
    return total.reshape(len(weights), -1, summary.places)


def stored_summary(inversion: Inversion, method: Method | None = None) -> Summary:
    """The sufficient statistics of an inversion's latents, with what a method needs.

    The latents themselves are read for a low-pass split and for adain only.
    """
    space, keys = inversion.space, inversion.keys
    squared_norm, channel_mean = space.summary(keys)
    _, height, width = space.shape
    summary = Summary(squared_norm, channel_mean, height * width)
    if method is not None and method.norm == "adain":
        summary = summary.with_channels(space.blocks(keys))
    if method is not None and parse_cutoff(method.mean) is not None:
        summary = summary.with_spectrum(space.blocks(keys), space.shape)
    return summary


def stored_products(inversion: Inversion, method: Method, summary: Summary) -> Products | None:
    """The inner products of an inversion's latents, where a method needs them."""
    if method.norm not in NEEDS_PRODUCTS:
        return None
    if fits_gram(inversion):
        return GramProducts(Gram.of(inversion.space.read(inversion.keys), method.mean))
    return StreamedProducts(lambda: inversion.space.blocks(inversion.keys), summary)


def fits_gram(inversion: Inversion) -> bool:
    """Whether its latents and their Gram matrices are small enough to be held in memory."""
    count, shape = len(inversion.keys), inversion.space.shape
    small = Gram.bytes_for(count, shape[0]) <= GRAM_BYTES
    return small and 4 * count * math.prod(shape) <= LATENT_BYTES


def generate_mixtures(
    bench: Workbench,
    inversion: Inversion,
    mixed: Mixed,
    settings: GenerationSettings,
    *,
    batch: int = BATCH,
    preview: bool = False,
) -> Generator[Progress, None, Generated]:
    """Generate the pictures of mixtures, in batches.

    Each is told the settings' prompt or, where that is None, the mixture of its pictures' own
    prompts, as L&K appendix B mixes embeddings; where all pictures share a prompt, that prompt.

    Args:
        preview: decode the first picture of the batch at work now and then.
    """
    start = time.monotonic()
    count = len(mixed.latents)
    if not bench.is_loaded:
        yield Progress("load", 0, count, note=f"loading {bench.source.name}")
    own = mixed_prompts(bench.model, [row.prompt for row in inversion.rows], mixed.weights)
    told = own
    if settings.prompt is not None:
        told = bench.model.condition([settings.prompt] * count)
    pictures: list[Image.Image] = []

    def tell(step: Step) -> Progress:
        due = preview and bench.preview.is_due
        return Progress(
            phase="generate",
            done=len(pictures),
            total=count,
            step=step.done,
            steps=step.total,
            active=len(step.clean),
            device=str(bench.device),
            preview=bench.preview.show(bench.model, step.clean[0]) if due else None,
        )

    def make(rows: range) -> Generator[Progress, None, None]:
        latents = mix_companions(inversion, mixed, rows)
        given = told.rows(rows)
        origin = None if told is own else own.rows(rows)
        steps = generate_batch(bench.model, latents, given, settings, origin)
        clean = yield from watched(steps, tell)
        pictures.extend(bench.model.decode(clean))

    yield from in_batches(count, batch, bench.limit_for(inversion.settings.size), make)
    return Generated(tuple(pictures), mixed, time.monotonic() - start)


def mix_companions(inversion: Inversion, mixed: Mixed, rows: range) -> Latents:
    """Some mixtures with their companions, mixed with the same weights.

    They are read in blocks, as latents are, and only as they are generated: the embeddings of a
    mixture are a hundred times its latent.
    """
    part = slice(rows.start, rows.stop)
    weights, methods = mixed.weights[part], mixed.methods[part]
    used = weights.any(dim=0).nonzero()[:, 0].tolist()
    pictures = [inversion.rows[index] for index in used]
    companions: dict[str, Tensor] = {}
    for name in inversion.space.companions:
        own = replace(inversion, rows=tuple(pictures), space=inversion.space.companion(name))
        table = weights[:, used]
        if COMPANIONS[name].is_linear:
            sums = stored_sums(own, stored_summary(own), table.float(), FAST)
            companions[name] = sums.reshape(-1, *own.space.shape)
            continue
        shape = (len(rows), *own.space.shape)
        companions[name] = torch.empty(shape)
        for method in dict.fromkeys(methods):
            chosen = [at for at, other in enumerate(methods) if other == method]
            companions[name][chosen] = mix_stored(own, table[chosen].tolist(), method).latents
    return Latents(mixed.latents[part], companions, inversion.settings.steps)


def mixed_prompts(model: Model, prompts: Sequence[str], weights: Tensor) -> Conditioning:
    """The weighted means (B rows) of N prompts' embeddings; a repeated one is encoded once."""
    distinct = list(dict.fromkeys(prompts))
    embedded = model.condition(distinct)
    if len(distinct) == 1:
        return embedded.rows([0] * len(weights))
    share = torch.zeros(len(weights), len(distinct), dtype=weights.dtype)
    share.index_add_(1, torch.tensor([distinct.index(p) for p in prompts]), weights)
    return embedded.mixed(share)
