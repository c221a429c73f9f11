"""Predicted noise moved towards noise: by its correlations, and by how its patches are spread.

The numerics of `solvers.renoise`. Source: correlations and divergence as in pix2pix-zero, Parmar et
al. 2302.03027 eq. 2, over all shifts instead of random ones, so that a latent is the same every
time.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

GRADIENT_STEPS = 4
"""For each step of the trajectory."""

PAIR_RATE, PATCH_RATE = 0.005, 0.02
"""Of the gradients of the correlations and of the patches, in units of the noise's deviation."""

FURTHEST = 0.1
"""That a gradient step moves an element, in units of the noise's deviation."""

SMALLEST = 8
"""Cells along a side below which the pyramid of correlations ends."""

PATCH = 4
"""Cells along a side of a patch."""


def whitened(noise: Tensor, reference: Tensor) -> Tensor:
    """Noise (B, C, H, W) moved down the gradients; rows do not see one another."""
    places = noise[0, 0].numel()
    scale = noise.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp_min(1e-6)
    state, like = noise / scale, reference / scale
    for _ in range(GRADIENT_STEPS):
        with torch.enable_grad():
            trial = state.detach().requires_grad_()
            loss = PAIR_RATE * correlation(trial) + PATCH_RATE * divergence(trial, like)
            # The losses are means over places: this makes the rates those of one place.
            (gradient,) = torch.autograd.grad(loss.sum() * places, trial)
        state = state - gradient.clamp(-FURTHEST, FURTHEST)
    return state * scale


def correlation(noise: Tensor) -> Tensor:
    """Squared correlations of each channel with itself shifted, down and across, (B,).

    The mean over the shifts of half a side, summed over a pyramid of halves, down to `SMALLEST`.
    """
    total = torch.zeros_like(noise[:, 0, 0, 0])
    while True:
        for line in (noise, noise.mT):
            side = line.shape[3]
            power = torch.fft.rfft(line, dim=3).abs().square()
            shifted = torch.fft.irfft(power, n=side, dim=3).mean(dim=2) / side
            apart = shifted[..., 1 : side // 2 + 1].square().sum(dim=(1, 2))
            total = total + apart / max(1, side // 2)
        if min(noise.shape[2:]) < 2 * SMALLEST:
            return total
        noise = 2 * functional.avg_pool2d(noise, 2)


def divergence(noise: Tensor, reference: Tensor) -> Tensor:
    """Kullback-Leibler divergence of normal patches from those of a reference, (B,).

    ln(s1/s0) + (s0^2 + (m0 - m1)^2) / (2 s1^2) - 1/2 of the means and deviations of the patches of
    each channel; the mean over the patches.
    """
    (mean, variance), (mean1, variance1) = _patches(noise), _patches(reference)
    apart = (variance1 / variance).log() + (variance + (mean - mean1).square()) / variance1 - 1
    return apart.flatten(1).mean(dim=1) / 2


def _patches(noise: Tensor) -> tuple[Tensor, Tensor]:
    side = min(PATCH, *noise.shape[2:])
    mean = functional.avg_pool2d(noise, side)
    square = functional.avg_pool2d(noise.square(), side)
    return mean, (square - mean.square()).clamp_min(1e-6)
