"""The weighted mean and the weighted median of directions on a sphere, from inner products alone.

Both lie in the span of the directions u_n, so that x = sum a_n u_n is found as its N coefficients:
an iteration costs one product with the matrix of cosines and nothing in the length of a latent.
(That a minimum may be sought in the span: reflecting in it changes no distance, so that at x in the
span the gradient is in it too.)

Source: Buss & Fillmore, *Spherical averages and applications to spherical splines and
interpolation* (2001), algorithm A1, for the mean; Fletcher et al., *The geometric median on
Riemannian manifolds* (2009), for the median. A1's step is lengthened to what the curvature along
it asks for: where directions are nearly orthogonal, as noise is, the plain one takes hundreds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]
"""From coefficients a (B, N) to the inner products <u_n, sum a u>, (B, N)."""

STEPS = 500
"""Iterations at most; some 5 do for noise."""

CLOSENESS = 0.65
"""Power of the rounding unit to which the gradient is brought (1e-10 in float64)."""

IDLE = 6
"""Steps without a fall of the loss after which it is at its least."""

LONGEST_STEP = 0.5
"""Radians a step may turn."""

SAME = 1e-6
"""Radians within which two directions are one."""

FLATTEST = 1e-3
"""Curvature below which a step is not lengthened further."""


@dataclass(frozen=True)
class Centre:
    """The mean or the median of B weightings.

    Attributes:
        coefficients: a, (B, N), with |sum a u| = 1; 0 for a row without any direction.
        losses: what each iteration has left of sum w theta^2 / 2, or sum w theta; (iterations, B).
    """

    coefficients: Tensor
    losses: Tensor


def spherical_mean(product: Product, weights: Tensor, start: Tensor) -> Centre:
    """argmin sum w_n theta_n^2 over the sphere, theta_n the angle to u_n.

    Args:
        product: of the directions; 0 for a direction that is none.
        weights: (B, N), not negative.
        start: coefficients to begin at, (B, N): normalise(sum w u).
    """
    return _descend(product, weights, start, squared=True)


def spherical_median(product: Product, weights: Tensor, start: Tensor) -> Centre:
    """argmin sum w_n theta_n over the sphere.

    A direction that the others together do not pull away from with more than its own weight is the
    median itself; the loss has a kink there, which a descent would only creep up on.
    """
    nearest = product(start).argmax(dim=1, keepdim=True)
    corner = torch.zeros_like(start).scatter(1, nearest, 1.0)
    cosines = product(corner)
    _, sines = _angles(cosines)
    same = sines < SAME
    pull = torch.where(same, 0.0, weights / sines)
    pull = pull - (pull * cosines).sum(dim=1, keepdim=True) * corner
    force = (pull * product(pull)).sum(dim=1).clamp_min(0).sqrt()
    own = torch.where(same & (cosines > 0), weights, 0.0).sum(dim=1)
    # On a tie every point between two is a median: the middle, where the descent starts, is it.
    stays = force < own * (1 - SAME)
    found = _descend(product, torch.where(stays[:, None], 0.0, weights), start, squared=False)
    return Centre(torch.where(stays[:, None], corner, found.coefficients), found.losses)


def _descend(product: Product, weights: Tensor, start: Tensor, squared: bool) -> Centre:
    """Conjugate gradients (Polak and Ribiere) along great circles, every row by itself."""
    rounding, tiny = torch.finfo(weights.dtype).eps, torch.finfo(weights.dtype).tiny
    place, cosines = start, product(start)
    loss = _loss(cosines, weights, squared)
    losses, idle = [loss], 0
    way = way_products = last_products = torch.zeros_like(start)
    last_square = torch.ones_like(loss)
    for _ in range(STEPS):
        pull, across = _pulls(cosines, weights, squared)
        fall = pull - (pull * cosines).sum(dim=1, keepdim=True) * place
        fall_products = product(fall)
        square = (fall * fall_products).sum(dim=1).clamp_min(0)
        active = square > rounding ** (2 * CLOSENESS)
        if idle > IDLE or not bool(active.any()):
            break
        kept = (square - (fall * last_products).sum(dim=1)) / last_square.clamp_min(tiny)
        kept = (kept.clamp_min(0) * (last_square > 0))[:, None]
        way, way_products = fall + kept * way, fall_products + kept * way_products
        slope = (way * fall_products).sum(dim=1)
        size = (way * way_products).sum(dim=1).clamp_min(tiny).sqrt()
        unit, unit_products = way / size[:, None], way_products / size[:, None]
        bend = _curvature(unit_products, cosines, weights, across, squared)
        angle = (slope / size / bend.clamp_min(FLATTEST)).clamp(0.0, LONGEST_STEP)
        angle = torch.where(active, angle, 0.0)
        angle, reached = _shortened(angle, loss, cosines, unit_products, weights, squared)
        # The last steps are too small for the loss to show them.
        idle = 0 if bool((reached < loss * (1 - 8 * rounding)).any()) else idle + 1
        loss, last_square, last_products = reached, square, fall_products
        # What is parallel along the great circle stays of the way that was gone.
        way = size[:, None] * _turn(unit, -place, angle)
        way_products = size[:, None] * _turn(unit_products, -cosines, angle)
        place, cosines = _turn(place, unit, angle), _turn(cosines, unit_products, angle)
        length = (place * cosines).sum(dim=1, keepdim=True).clamp_min(0).sqrt()
        length = torch.where(length > 0, length, 1.0)
        place, cosines = place / length, cosines / length
        losses.append(loss)
    return Centre(place, torch.stack(losses))


def _turn(place: Tensor, step: Tensor, angle: Tensor) -> Tensor:
    return torch.cos(angle)[:, None] * place + torch.sin(angle)[:, None] * step


def _angles(cosines: Tensor) -> tuple[Tensor, Tensor]:
    """theta and sin theta, the latter kept from 0."""
    cosines = cosines.clamp(-1.0, 1.0)
    sines = (1 - cosines.square()).clamp_min(torch.finfo(cosines.dtype).eps ** 2).sqrt()
    return torch.acos(cosines), sines


def _loss(cosines: Tensor, weights: Tensor, squared: bool) -> Tensor:
    angles = torch.acos(cosines.clamp(-1.0, 1.0))
    return (weights * (angles.square() / 2 if squared else angles)).sum(dim=1)


def _pulls(cosines: Tensor, weights: Tensor, squared: bool) -> tuple[Tensor, Tensor]:
    """The coefficients of minus the gradient, before what is along x is taken off; and of the
    Hessian, across each direction: w phi'(theta) / tan(theta)."""
    angles, sines = _angles(cosines)
    force = weights * angles if squared else weights
    pull = force / sines
    if squared:
        pull = torch.where(angles > 1e-4, pull, weights)
    return pull, pull * cosines


def _curvature(
    turned: Tensor, cosines: Tensor, weights: Tensor, across: Tensor, squared: bool
) -> Tensor:
    """The second derivative of the loss along a unit tangent, (B,); turned: <u_n, tangent>."""
    _, sines = _angles(cosines)
    along = (turned / sines).square().clamp_max(1.0)
    bend = (across * (1 - along)).sum(dim=1)
    return bend + (weights * along).sum(dim=1) if squared else bend


def _shortened(
    angle: Tensor, loss: Tensor, cosines: Tensor, turned: Tensor, weights: Tensor, squared: bool
) -> tuple[Tensor, Tensor]:
    """The angle, halved until the loss does not rise (0 where it never falls), and the loss."""
    for _ in range(40):
        reached = _loss(_turn(cosines, turned, angle), weights, squared)
        worse = (reached > loss * (1 + 8 * torch.finfo(loss.dtype).eps)) & (angle > 0)
        if not bool(worse.any()):
            return angle, torch.where(angle > 0, reached, loss)
        angle = torch.where(worse, angle / 2, angle)
    angle = torch.where(worse, 0.0, angle)
    return angle, torch.where(angle > 0, reached, loss)
