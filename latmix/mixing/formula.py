"""The mixing formulas: z' = d' + rho m/|m| on the whole grid. The public `latmix.mix`.

With weights w on the simplex and a mean split z_n = d_n + e_n: d' = sum w_n d_n, m = sum w_n e_n,
r_n = |e_n|; the norm target rho is the method's. Every statistic of the inputs is float64 (float32
on MPS); sums over latents, and their norms, are float32 or better, as L&K appendix A asks, and
float64 wherever the mixture would amplify their rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from latmix.mixing.blocks import CACHED_ELEMENTS, ROUNDING, blocks, parts, precise, weighted_sums
from latmix.mixing.companions import Latents
from latmix.mixing.gram import products_of
from latmix.mixing.grid import DEFAULT_METHOD, Method, parse_method
from latmix.mixing.mixture import normalised
from latmix.mixing.summary import Summary
from latmix.mixing.weighting import Scaling, Weighting, cancelled, weigh

TOLERANCE = 5e-6
"""Relative error of a mixture beyond which float32 sums are not taken for good."""


Weights = Tensor | Sequence[float] | Sequence[Sequence[float]] | None


Mixable = TypeVar("Mixable", Tensor, Latents)


def mix(
    latents: Mixable, weights: Weights = None, method: str | Method = DEFAULT_METHOD
) -> Mixable:
    """Mix N latents under a method of the grid.

    Args:
        latents: (N, ...) of any float type, usually (N, C, H, W) noise latents at t = T. `Latents`
            are mixed with their companions: embeddings linearly, latents by the method.
        weights: (N,) or, for B mixtures at once, (B, N); not negative, rescaled to sum to 1.
            None is the same weight for all.
        method: a name of `latmix.methods()`, such as "nin/chm", or a `Method` of one's own.

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
        return latents.mixed(method, lambda part, its_method: mix(part, weights, its_method))
    latents = torch.as_tensor(latents)
    _check_latents(latents, method)
    table = weight_table(weights, latents.shape[0], latents.device)
    summary = Summary.of(latents, method.split.reach)
    if not bool(torch.isfinite(summary.squared_norm).all()):
        raise ValueError("latents must be finite, but some element is NaN or infinite.")
    products = products_of(method, summary, lambda: blocks(latents), lambda: latents)
    weighting = weigh(method, summary, table, products).checked()
    kind = torch.float64 if latents.dtype == torch.float64 else torch.float32

    def sums(coefficients: Tensor) -> Tensor:
        return weighted_sums(blocks(latents, kind), summary.shape, coefficients)

    mixed = sums(weighting.coefficients.to(kind))
    again = None if kind == table.dtype else sums
    scale_sums(mixed, weighting, torch.finfo(kind).eps, again)
    mixed = mixed.reshape(table.shape[0], *latents.shape[1:])
    many = weights is not None and torch.as_tensor(weights).ndim == 2
    return mixed if many else mixed[0]


def scale_sums(
    sums: Tensor,
    weighting: Weighting,
    rounding: Tensor | float,
    again: Callable[[Tensor], Tensor] | None,
) -> Scaling:
    """Make the sums sum c_n z_n, (B, C, P), the mixtures d' + rho m/|m|, in place.

    Args:
        rounding: of the sums, relative to sum |c_n| |z_n|, (B,).
        again: sum c_n z_n for coefficients c (B, N), formed in their type: asked for mixtures that
            would amplify the rounding beyond `TOLERANCE`. None where that would be no better.

    Returns:
        How each was scaled.

    Raises:
        ValueError: the latents cancel, so that no direction is left to scale.
    """
    scaling = _scale(sums, weighting)
    amplified, lost = _soundness(scaling, weighting, sums.dtype)
    poor = lost | (amplified * rounding > TOLERANCE)
    if again is not None and bool(poor.any()):
        rows = poor.nonzero()[:, 0]
        some = weighting.rows(rows)
        precise_sums = again(some.coefficients)
        better = _scale(precise_sums, some)
        sums[rows] = precise_sums.to(sums)
        scaling.put(rows, better)
        _, lost = _soundness(better, some, precise_sums.dtype)
    if bool(lost.any()):
        raise cancelled(weighting.method)
    return scaling


def _scale(sums: Tensor, weighting: Weighting) -> Scaling:
    cached = parts(len(sums), weighting.summary.length, CACHED_ELEMENTS)
    return Scaling.joined([_scale_some(sums[part], weighting.rows(part)) for part in cached])


def _scale_some(sums: Tensor, weighting: Weighting) -> Scaling:
    summary, cut = weighting.summary, weighting.cut
    summary.add_common(sums, cut, weighting.coefficients, -1.0)
    scaling = weighting.scaling(_norms(sums).to(weighting.weights))
    sums *= scaling.gain[..., None].to(sums)
    summary.add_common(sums, cut, weighting.weights)
    return scaling


def _soundness(scaling: Scaling, weighting: Weighting, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """For each mixture, what the rounding of its sums is multiplied by, relative to its norm; and
    whether its latents cancel, so that no direction was left to scale."""
    summary = weighting.summary
    common = weighting.cut.split.constant(weighting.averages.channel_mean)
    input_norm = weighting.coefficients.abs() @ summary.norms.to(common)
    squares = scaling.target.square().sum(dim=1) + common.square().sum(dim=1) * summary.places
    norm = squares.sqrt().clamp_min(torch.finfo(squares.dtype).tiny)
    amplified = scaling.gain.amax(dim=1) * input_norm / norm
    small = ROUNDING * torch.finfo(kind).eps * input_norm[:, None]
    return amplified, ((scaling.size <= small) & (scaling.target > scaling.size)).any(dim=1)


def _norms(rows: Tensor) -> Tensor:
    """Norms over the last dimension, without a copy in float64 where float32 holds the squares."""
    squares: Tensor = torch.linalg.vecdot(rows, rows)
    least, largest = torch.aminmax(squares.detach())
    if float(least) > 1e-20 and float(largest) < 1e30:
        return squares.sqrt()
    norms: Tensor = torch.linalg.vector_norm(rows, dim=-1, dtype=precise(rows.device))
    return norms


def weight_table(weights: Weights, count: int, device: torch.device) -> Tensor:
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
    with np.errstate(over="ignore", invalid="ignore"):  # said below
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
    needs_channels = method.split.takes_channels or method.split.reach is not None
    if needs_channels and latents.ndim < 3:
        raise ValueError(
            f"method {method.name} needs latents with channels, (N, C, ...), "
            f"not {tuple(latents.shape)}."
        )
