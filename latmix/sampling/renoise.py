"""An inverse step by renoising: predictions at one and the same level, averaged, kept like noise.

The state that a generating step comes from is noised again and again, each time by what the network
predicts at the state found before. The mean of the last predictions is then moved towards noise:
by the gradient of its correlations, and of how far its patches are from those of the prediction
for the picture with true noise added. A picture does not come back exactly; its latent is more
like the noise that a model starts from.

Source: ReNoise, Garibi et al. 2403.14602, algorithm 1, with the noise of the model's own step (no
noise correction); correlations and divergence as in pix2pix-zero, Parmar et al. 2302.03027 eq. 2,
over all shifts instead of random ones, so that a latent is the same every time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import torch
from torch import Tensor
from torch.nn import functional

from latmix.sampling.fixed_point import Solution

ESTIMATES = 4
"""Predictions for a step, the first of them at the cleaner state."""

AVERAGED = 2
"""Of them, the last ones."""

REGULARISING = 4
"""Gradient steps for each step of the trajectory."""

PAIR_RATE, PATCH_RATE = 0.005, 0.02
"""Of the gradients of the correlations and of the patches, in units of the noise's deviation."""

FURTHEST = 0.1
"""That a gradient step moves an element, in units of the noise's deviation."""

SMALLEST = 8
"""Cells along a side below which the pyramid of correlations ends."""

PATCH = 4
"""Cells along a side of a patch."""

CALLS = ESTIMATES + 1
"""Network calls a step takes, that for true noise among them."""


def renoising(
    noise_at: Callable[[Tensor], Tensor],
    state_of: Callable[[Tensor], Tensor],
    start: Tensor,
    reference: Tensor,
) -> Generator[int, None, Solution]:
    """Renoise a state, yielding between two predictions how many there were.

    Args:
        noise_at: the noise (B, C, H, W) that the network predicts for a state.
        state_of: the state that holds this noise and steps to the cleaner one.
        start: the cleaner state.
        reference: the prediction for the picture with true noise added.
    """
    before, state, kept = start, start, []
    for calls in range(1, ESTIMATES + 1):
        yield calls
        noise = noise_at(state)
        kept.append(noise)
        before, state = state, state_of(noise)
    residual = (state - before).flatten(1).norm(dim=1) / state.flatten(1).norm(dim=1)
    mean = torch.stack(kept[-AVERAGED:]).mean(dim=0)
    return Solution(state_of(regularised(mean, reference)), residual, CALLS)


def regularised(noise: Tensor, reference: Tensor) -> Tensor:
    """Noise (B, C, H, W) moved down the gradients; rows do not see one another."""
    places = noise[0, 0].numel()
    scale = noise.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp_min(1e-6)
    state, like = noise / scale, reference / scale
    for _ in range(REGULARISING):
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
