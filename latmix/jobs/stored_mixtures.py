"""Mixtures of stored latents, which are read in blocks, and the numbers of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from latmix.jobs.inversion import Inversion
from latmix.mixing.companions import LINEAR, Latents, companion_method
from latmix.mixing.formula import scale_sums, weight_table
from latmix.mixing.gram import Gram, products_of
from latmix.mixing.grid import Method
from latmix.mixing.low_pass import Spectrum
from latmix.mixing.statistics import Statistics, scaled_statistics
from latmix.mixing.summary import Summary
from latmix.mixing.weighting import Scaling, Weighting, weigh

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
    latents, weighting, scaling = _mixtures(inversion, table, method)
    statistics = scaled_statistics(latents, weighting, scaling)
    return Mixed(latents.float(), table, statistics, (method,) * len(table))


def _mixtures(
    inversion: Inversion, weights: Tensor, method: Method
) -> tuple[Tensor, Weighting, Scaling]:
    """The mixtures with weights (B, N), in their type, and how they came about."""
    summary, sums = _summary_and_sums(inversion, weights, method)
    space, keys = inversion.space, inversion.keys
    whole = partial(space.read, keys) if fits_gram(inversion) else None
    products = products_of(method, summary, lambda: space.blocks(keys), whole)
    weighting = weigh(method, summary, weights, products).checked()
    if sums is None:
        sums = stored_sums(inversion, summary, weighting.coefficients, FAST)
    rounding = torch.finfo(FAST).eps * _block_share(weighting, space.block_rows)
    scaling = scale_sums(sums, weighting, rounding, partial(stored_sums, inversion, summary))
    return sums.reshape(len(weights), *space.shape), weighting, scaling


def _summary_and_sums(
    inversion: Inversion, weights: Tensor, method: Method
) -> tuple[Summary, Tensor | None]:
    """What a method needs of an inversion's latents, and the plain sums with these weights (B, N)
    where they come of the same pass: a fixed cut-off's spectrum is asked for after the sum."""
    cutoff = method.split.cutoff
    if cutoff is None or method.norm.needs_products:
        return stored_summary(inversion, method), None
    summary = stored_summary(inversion)
    spectrum = Spectrum.empty(summary.count, inversion.space.shape, cutoff, weights)
    sums = stored_sums(inversion, summary, weights, FAST, spectrum.take)
    return replace(summary, spectrum=spectrum), sums


def _block_share(weighting: Weighting, rows: int) -> Tensor:
    """How the rounding of blocks' products adds up in the whole sum, (B,), at most 1.

    The root sum of squares of what blocks of `rows` latents contribute to sum |c_n| |z_n|: the
    errors of different blocks do not know of one another.
    """
    parts = weighting.coefficients.abs() * weighting.summary.norms.to(weighting.weights)
    sums = torch.stack([block.sum(dim=1) for block in torch.split(parts, rows, dim=1)])
    share: Tensor = torch.linalg.vector_norm(sums, dim=0) / sums.sum(dim=0)
    return share


def stored_sums(
    inversion: Inversion,
    summary: Summary,
    weights: Tensor,
    kind: torch.dtype | None = None,
    look: Callable[[slice, Tensor], None] | None = None,
) -> Tensor:
    """sum_n w_n z_n of an inversion's latents, (B, C, P), for weights (B, N).

    Args:
        kind: in which a block's product is formed, the weights' type if not given; in that they
            are added up.
        look: called with each block and its slice, in any order.
    """
    factors = weights.to(kind or weights.dtype)
    total = weights.new_zeros(len(weights), summary.length)

    def product(part: slice, block: Tensor) -> Tensor:
        if look:
            look(part, block)
        return factors[:, part] @ block.to(factors.dtype).flatten(1)

    for _, found in inversion.space.each_block(inversion.keys, product):
        total += found
    return total.reshape(len(weights), -1, summary.places)


def stored_summary(inversion: Inversion, method: Method | None = None) -> Summary:
    """The sufficient statistics of an inversion's latents, with what a method needs.

    The latents themselves are read for a low-pass split and a norm target of each channel only.
    """
    space, keys = inversion.space, inversion.keys
    summary = Summary(*space.summary(keys), space.shape[1:])
    return summary.serving(method, lambda: space.blocks(keys)) if method else summary


def fits_gram(inversion: Inversion) -> bool:
    """Whether its latents and their Gram matrices are small enough to be held in memory."""
    count, shape = len(inversion.keys), inversion.space.shape
    return Gram.fits(count, shape[0]) and 4 * count * math.prod(shape) <= LATENT_BYTES


def mix_companions(inversion: Inversion, mixed: Mixed, rows: range) -> Latents:
    """Some mixtures with their companions, mixed with the same weights.

    They are read in blocks, as latents are, and only as they are generated: the embeddings of a
    mixture are a hundred times its latent.
    """
    part = slice(rows.start, rows.stop)
    weights = mixed.weights[part]
    used = weights.any(dim=0).nonzero()[:, 0].tolist()
    table, pictures = weights[:, used], tuple(inversion.rows[index] for index in used)
    companions: dict[str, Tensor] = {}
    for name in inversion.space.companions:
        own = replace(inversion, rows=pictures, space=inversion.space.companion(name))
        companions[name] = torch.empty(len(rows), *own.space.shape)
        methods = [companion_method(name, method) for method in mixed.methods[part]]
        for method in dict.fromkeys(methods):
            chosen = [at for at, other in enumerate(methods) if other == method]
            # Embeddings are large, and no norm target amplifies their rounding.
            few = table[chosen].float() if method == LINEAR else table[chosen]
            companions[name][chosen] = _mixtures(own, few, method)[0].float()
    return Latents(mixed.latents[part], companions, inversion.settings.steps)
