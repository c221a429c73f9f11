"""The mixing formulas: z' = d' + rho m/|m| on the whole grid. The public `latmix.mix`.

With weights w on the simplex and a mean split z_n = d_n + e_n: d' = sum w_n d_n, m = sum w_n e_n,
r_n = |e_n|; the norm target rho is the method's. Every statistic of the inputs is float64 (float32
on MPS); sums over latents, and their norms, are float32 or better, as L&K appendix A asks, and
float64 wherever the mixture would amplify their rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

import numpy as np
import torch
from torch import Tensor

from latmix.mixing.companions import Latents
from latmix.mixing.direction import (
    NEEDS_PRODUCTS,
    Direction,
    GramProducts,
    Products,
    StreamedProducts,
    cancelled,
    direct,
)
from latmix.mixing.gram import GRAM_BYTES, Gram
from latmix.mixing.grid import DEFAULT_METHOD, LARGEST_CUTOFF, Method, parse_cutoff, parse_method
from latmix.mixing.low_pass import CACHED_ELEMENTS
from latmix.mixing.mixture import normalised
from latmix.mixing.nao import likeliest_norm
from latmix.mixing.summary import (
    ROUNDING,
    Averages,
    Summary,
    blocks,
    parts,
    precise,
    weighted_sums,
)

TOLERANCE = 5e-6
"""Relative error of a mixture beyond which float32 sums are not taken for good."""


Weights = Tensor | Sequence[float] | Sequence[Sequence[float]] | None


@overload
def mix(
    latents: Tensor, weights: Weights = None, method: str | Method = DEFAULT_METHOD
) -> Tensor: ...
@overload
def mix(
    latents: Latents, weights: Weights = None, method: str | Method = DEFAULT_METHOD
) -> Latents: ...
def mix(
    latents: Tensor | Latents, weights: Weights = None, method: str | Method = DEFAULT_METHOD
) -> Tensor | Latents:
    """Mix N latents under a method of the grid.

    Args:
        latents: (N, ...) of any float type, usually (N, C, H, W) noise latents at t = T. `Latents`
            are mixed with their companions: embeddings linearly, latents by the method.
        weights: (N,) or, for B mixtures at once, (B, N); not negative, rescaled to sum to 1.
            None is the same weight for all.
        method: a name of `latmix.methods()`, such as "nin/chm".

    Returns:
        (...) or (B, ...): float32, or float64 for float64 latents, on the latents' device.

    Raises:
        ValueError: a wrong shape, latents that are not finite, weights that are negative, not
            finite or all zero, an unknown method, or latents that cancel so that no direction is
            left to scale.

    Source: L&K eq. 1-4 and section 5; the table in the documentation of the grid.
    """
    method = parse_method(method)
    if isinstance(latents, Latents):
        return latents.mixed(method.name, lambda part, name: mix(part, weights, name))
    latents = torch.as_tensor(latents)
    _check_latents(latents, method)
    table = weight_table(weights, latents.shape[0], latents.device)
    cutoff = parse_cutoff(method.mean)
    largest = cutoff if isinstance(cutoff, float) else LARGEST_CUTOFF
    summary = Summary.of(latents, method.mean, largest)
    if not bool(torch.isfinite(summary.squared_norm).all()):
        raise ValueError("latents must be finite, but some element is NaN or infinite.")
    direction = direct(method, summary, table, products_of(latents, method, summary))
    kind = torch.float64 if latents.dtype == torch.float64 else torch.float32

    def sums(rows: Tensor, within: torch.dtype) -> Tensor:
        return weighted_sums(
            blocks(latents, kind), summary, direction.coefficients[rows].to(within)
        )

    mixed = scaled_mixtures(sums, summary, table, direction, method, kind)
    mixed = mixed.reshape(table.shape[0], *latents.shape[1:])
    many = weights is not None and torch.as_tensor(weights).ndim == 2
    return mixed if many else mixed[0]


def products_of(latents: Tensor, method: Method, summary: Summary) -> Products | None:
    """The inner products of latents (N, C, ...), where a method needs them."""
    if method.norm not in NEEDS_PRODUCTS:
        return None
    if Gram.bytes_for(*summary.channel_mean.shape) <= GRAM_BYTES:
        return GramProducts(Gram.of(latents, method.mean))
    return StreamedProducts(lambda: blocks(latents), summary)


def scaled_mixtures(
    sums: Callable[[Tensor, torch.dtype], Tensor],
    summary: Summary,
    weights: Tensor,
    direction: Direction,
    method: Method,
    kind: torch.dtype,
    share: Tensor | float = 1.0,
) -> Tensor:
    """The mixtures d' + rho m/|m|, (B, C, P), of latents that are summed elsewhere.

    Statistics are of the weights' type. A mixture that would amplify the rounding of its sums
    beyond `TOLERANCE` is summed again in the weights' type.

    Args:
        sums: sum c_n z_n of some of the mixtures, by their rows (k,), formed in a type: (k, C, P).
        weights: (B, N), each row summing to 1 (`weight_table`).
        kind: in which all are summed first.
        share: of that type's rounding, what the sums have, (B,).

    Raises:
        ValueError: the latents cancel, so that no direction is left to scale.
    """
    mixed = sums(torch.arange(len(weights), device=weights.device), kind)
    gain, lost = normalise_sums(mixed, summary, weights, direction, method)
    poor = lost | (gain * torch.finfo(kind).eps * share > TOLERANCE)
    if kind != weights.dtype and bool(poor.any()):
        rows = poor.nonzero()[:, 0]
        again = sums(rows, weights.dtype)
        lost = normalise_sums(again, summary, weights[rows], direction.rows(rows), method)[1]
        mixed[rows] = again.to(mixed)
    if bool(lost.any()):
        raise cancelled(method)
    return mixed


def normalise_sums(
    total: Tensor, summary: Summary, weights: Tensor, direction: Direction, method: Method
) -> tuple[Tensor, Tensor]:
    """Make the plain sums sum c_n z_n, (B, C, P), the mixtures d' + rho m/|m|, in place.

    Returns:
        for each mixture, what the rounding of its sums is multiplied by, relative to its norm; and
        whether the latents cancel, so that no direction was left to scale.
    """
    found = [
        _normalise(total[part], summary, weights[part], direction.rows(part), method)
        for part in parts(len(total), summary.length, CACHED_ELEMENTS)
    ]
    return torch.cat([gain for gain, _ in found]), torch.cat([lost for _, lost in found])


def _normalise(
    total: Tensor, summary: Summary, weights: Tensor, direction: Direction, method: Method
) -> tuple[Tensor, Tensor]:
    split, averages = direction.split, summary.averages(direction.split, weights)
    common = split.constant(averages.channel_mean)
    summary.add_common(total, split, direction.coefficients, -1.0)
    sizes = _norms(total).to(weights)
    size, target = target_norms(sizes, summary, weights, direction, method, averages)
    scale = ratio(target, size)
    total *= scale[..., None].to(total)
    summary.add_common(total, split, weights)
    input_norm = direction.coefficients.abs() @ summary.squared_norm.to(weights).sqrt()
    norm = (target.square().sum(dim=1) + common.square().sum(dim=1) * summary.places).sqrt()
    gain = scale.amax(dim=1) * input_norm / norm.clamp_min(torch.finfo(norm.dtype).tiny)
    small = ROUNDING * torch.finfo(total.dtype).eps * input_norm
    lost = ((size <= small[:, None]) & (target > size)).any(dim=1)
    return gain, lost


def _norms(rows: Tensor) -> Tensor:
    """Norms over the last dimension, without a copy in float64 where float32 holds the squares."""
    squares: Tensor = torch.linalg.vecdot(rows, rows)
    least, largest = torch.aminmax(squares.detach())
    if float(least) > 1e-20 and float(largest) < 1e30:
        return squares.sqrt()
    norms: Tensor = torch.linalg.vector_norm(rows, dim=-1, dtype=precise(rows.device))
    return norms


def target_norms(
    sizes: Tensor,
    summary: Summary,
    weights: Tensor,
    direction: Direction,
    method: Method,
    averages: Averages,
) -> tuple[Tensor, Tensor]:
    """The norm of the scaled part before and after, (B, 1), or (B, C) where each channel is scaled.

    Args:
        sizes: norm of each channel of sum c_n e_n, (B, C).
        averages: of the inputs, for the direction's split and the weights.
    """
    if method.norm == "adain":
        return sizes, summary.mean_channel_norm(weights)
    size = torch.linalg.vector_norm(sizes, dim=1)
    target = norm_target(
        method.norm,
        size if direction.residual is None else direction.residual,
        averages.residual,
        averages.beta,
        summary.radius,
        direction.correlated,
    )
    return size[:, None], target[:, None]


def ratio(target: Tensor, size: Tensor) -> Tensor:
    """target / size, and 1 where there is nothing to scale."""
    return torch.where(size > 0, target / size.clamp_min(torch.finfo(size.dtype).tiny), 1.0)


def norm_target(
    norm: str,
    residual: Tensor,
    mean_norm: Tensor,
    beta: Tensor,
    radius: float,
    correlated: Tensor | None = None,
) -> Tensor:
    """rho of a norm target; every argument broadcasts.

    Args:
        norm: lin, fix, nin, coh, lol, clol, slerp or nao.
        residual: |m|.
        mean_norm: sum w_n r_n.
        beta: sum w_n^2.
        radius: R = sqrt(L).
        correlated: w' C w, for clol.

    Source: lin, fix, nin: L&K eq. 1, 2, 4. lol: Bodin et al. 2408.08558 with mean d'.
    coh (latmix): kappa = |m| / sum w r in [0, 1]; rho = kappa^2 sum w r + (1 - kappa^2) R.
    clol (latmix): lol with the inputs' correlations, |m| / sqrt(w' C w). slerp: as nin. nao: Samuel
    et al. 2023, the mode of chi.
    """
    if norm == "lin":
        return residual
    if norm == "fix":
        return torch.full_like(residual, radius)
    if norm in ("nin", "slerp"):
        return mean_norm.expand_as(residual)
    if norm == "coh":
        share = coherence(residual, mean_norm).square()
        return share * mean_norm + (1 - share) * radius
    if norm == "lol":
        return residual / beta.sqrt()
    if norm == "clol" and correlated is not None:
        return ratio(residual, correlated.sqrt())
    if norm == "nao":
        return torch.full_like(residual, likeliest_norm(radius))
    raise ValueError(f"norm target {norm!r} is not known, or its inner products are missing.")


def coherence(residual: Tensor, mean_norm: Tensor) -> Tensor:
    """kappa = |m| / sum w r: 1 where all latents point one way, about 1/sqrt(N) for noise."""
    tiny = torch.finfo(mean_norm.dtype).tiny
    return (residual / mean_norm.clamp_min(tiny)).clamp(0.0, 1.0)


def weight_table(
    weights: Weights,
    count: int,
    device: torch.device,
) -> Tensor:
    """Weights as (B, N) rows that sum to 1, in the widest float type of the device.

    Raises:
        ValueError: a wrong shape, or as `normalised`.
    """
    if weights is None:
        return torch.full((1, count), 1.0 / count, dtype=precise(device), device=device)
    given = weights
    if not isinstance(given, Tensor):  # numpy reads long lists three times as fast, and arrays
        given = torch.from_numpy(np.require(given, np.float64, "W"))  # an array is not copied
    table = given.to("cpu", torch.float64)
    if table.ndim not in (1, 2) or table.shape[-1] != count:
        raise ValueError(
            f"weights must have the shape ({count},) or (B, {count}) for {count} latents, "
            f"not {tuple(table.shape)}."
        )
    rows = table.reshape(-1, count)
    if not len(rows):
        raise ValueError("weights: there are no rows; at least one mixture is needed.")
    values = rows.detach().numpy()  # whose extremes come ten times as fast; NaN if any is
    with np.errstate(over="ignore", invalid="ignore"):  # told below
        least, sums = (torch.from_numpy(f(values, axis=1, keepdims=True)) for f in (np.min, np.sum))
    bad = ~((least >= 0) & (sums > 0) & (sums < torch.inf))[:, 0]
    if bool(bad.any()):
        normalised(rows[int(bad.nonzero()[0])].tolist())
        # Dividing by the largest first keeps the sum finite for weights near the float limit.
        rows = rows / rows.amax(dim=1, keepdim=True)
        sums = rows.sum(dim=1, keepdim=True)
    return (rows / sums).to(device, precise(device))


def _check_latents(latents: Tensor, method: Method) -> None:
    if not latents.is_floating_point():
        raise ValueError(f"latents must be of a float type, not {latents.dtype}.")
    if latents.ndim < 2 or latents.numel() == 0:
        raise ValueError(f"latents must be (N, ...) and not empty, not {tuple(latents.shape)}.")
    if method.mean not in ("0", "m") and latents.ndim < 3:
        raise ValueError(
            f"method {method.name} needs latents with channels, (N, C, ...), "
            f"not {tuple(latents.shape)}."
        )
