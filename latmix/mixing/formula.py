"""The mixing formulas: z' = d' + rho m/|m| on the whole grid. The public `latmix.mix`.

With weights w on the simplex and a mean split z_n = d_n + e_n: d' = sum w_n d_n, m = sum w_n e_n,
r_n = |e_n|; the norm target rho is the method's. Runs in float64 (float32 on MPS), whatever the
latents' type: L&K appendix A asks for float32 or better.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from latmix.mixing.grid import DEFAULT_METHOD, Method, parse_method
from latmix.mixing.low_pass import low_pass
from latmix.mixing.mixture import normalised
from latmix.mixing.summary import ROUNDING, Blocks, Summary, blocks, precise, split


def mix(
    latents: Tensor,
    weights: Tensor | Sequence[float] | Sequence[Sequence[float]] | None = None,
    method: str | Method = DEFAULT_METHOD,
) -> Tensor:
    """Mix N latents under a method of the grid.

    Args:
        latents: (N, ...) of any float type, usually (N, C, H, W) noise latents at t = T.
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
    latents = torch.as_tensor(latents)
    _check_latents(latents, method)
    table = weight_table(weights, latents.shape[0], latents.device)
    summary = Summary.of(latents, method.mean)
    if not bool(torch.isfinite(summary.squared_norm).all()):
        raise ValueError("latents must be finite, but some element is NaN or infinite.")
    total = weighted_sums(blocks(latents), summary, table)
    mixed = normalise_sums(total, summary, table, method)
    kind = torch.float64 if latents.dtype == torch.float64 else torch.float32
    mixed = mixed.reshape(table.shape[0], *latents.shape[1:]).to(kind)
    many = weights is not None and torch.as_tensor(weights).ndim == 2
    return mixed if many else mixed[0]


def weighted_sums(rows: Blocks, summary: Summary, weights: Tensor) -> Tensor:
    """sum_n w_n z_n of latents that come in blocks, so that memory does not grow with N.

    Args:
        rows: blocks (k, C, ...) in order, with their places among the N.
        summary: of all N latents.
        weights: (B, N), each row summing to 1 (`weight_table`).

    Returns:
        (B, C, P), in the widest float type of the device.
    """
    channels = summary.channel_mean.shape[1]
    shape = (weights.shape[0], channels * summary.places)
    total = torch.zeros(shape, dtype=weights.dtype, device=weights.device)
    for part, block in rows:
        total += weights[:, part] @ block.to(weights).reshape(-1, shape[1])
    return total.reshape(-1, channels, summary.places)


def normalise_sums(total: Tensor, summary: Summary, weights: Tensor, method: Method) -> Tensor:
    """The mixtures d' + rho m/|m|, (B, C, P), from the plain weighted sums.

    Raises:
        ValueError: the latents cancel, so that no direction is left to scale.
    """
    common = split(weights @ summary.channel_mean.to(weights), method.mean)[..., None]
    cutoffs = summary.cutoffs(method.mean, weights)
    if cutoffs is not None and summary.spectrum is not None:
        sums = total.reshape(*total.shape[:2], *summary.spectrum.shape)
        common = common + low_pass(sums, cutoffs).flatten(2)
    rest = total - common
    norm = torch.linalg.vector_norm(rest, dim=(1, 2))
    mean_norm = summary.mean_residual_norm(method.mean, weights)
    target = norm_target(method.norm, norm, mean_norm, weights.square().sum(dim=1), summary.radius)
    input_norm = weights @ summary.squared_norm.to(weights).sqrt()
    lost = norm <= ROUNDING * torch.finfo(weights.dtype).eps * input_norm
    if bool((lost & (target > norm)).any()):
        raise ValueError(
            f"the latents cancel: nothing of their weighted mean is left for {method.name} to "
            "scale; change a weight, or use lin or another mean split."
        )
    scale = torch.where(norm > 0, target / norm.clamp_min(torch.finfo(norm.dtype).tiny), 1.0)
    return common + rest * scale[:, None, None]


def norm_target(
    norm: str, residual: Tensor, mean_norm: Tensor, beta: Tensor, radius: float
) -> Tensor:
    """rho of a norm target; every argument broadcasts.

    Args:
        norm: lin, fix, nin, coh or lol.
        residual: |m|.
        mean_norm: sum w_n r_n.
        beta: sum w_n^2.
        radius: R = sqrt(L).

    Source: lin, fix, nin: L&K eq. 1, 2, 4. lol: Bodin et al. 2408.08558 with mean d'.
    coh (latmix): kappa = |m| / sum w r in [0, 1]; rho = kappa^2 sum w r + (1 - kappa^2) R.
    """
    if norm == "lin":
        return residual
    if norm == "fix":
        return torch.full_like(residual, radius)
    if norm == "nin":
        return mean_norm.expand_as(residual)
    if norm == "coh":
        share = coherence(residual, mean_norm).square()
        return share * mean_norm + (1 - share) * radius
    if norm == "lol":
        return residual / beta.sqrt()
    raise ValueError(f"norm target {norm!r} is not known: it must be lin, fix, nin, coh or lol.")


def coherence(residual: Tensor, mean_norm: Tensor) -> Tensor:
    """kappa = |m| / sum w r: 1 where all latents point one way, about 1/sqrt(N) for noise."""
    tiny = torch.finfo(mean_norm.dtype).tiny
    return (residual / mean_norm.clamp_min(tiny)).clamp(0.0, 1.0)


def weight_table(
    weights: Tensor | Sequence[float] | Sequence[Sequence[float]] | None,
    count: int,
    device: torch.device,
) -> Tensor:
    """Weights as (B, N) rows that sum to 1, in the widest float type of the device.

    Raises:
        ValueError: a wrong shape, or as `normalised`.
    """
    if weights is None:
        return torch.full((1, count), 1.0 / count, dtype=precise(device), device=device)
    table = torch.as_tensor(weights, dtype=torch.float64, device="cpu")
    if table.ndim not in (1, 2) or table.shape[-1] != count:
        raise ValueError(
            f"weights must have the shape ({count},) or (B, {count}) for {count} latents, "
            f"not {tuple(table.shape)}."
        )
    rows = [normalised(row) for row in table.reshape(-1, count).tolist()]
    if not rows:
        raise ValueError("weights: there are no rows; at least one mixture is needed.")
    return torch.tensor(rows, dtype=torch.float64).to(device, precise(device))


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
