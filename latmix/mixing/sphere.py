"""The weighted mean and the weighted median of directions on a sphere, from inner products alone.

Both lie in the span of the directions u_n, so that x = sum a_n u_n is found as its N coefficients:
an iteration costs one product with the matrix of cosines and nothing in the length of a latent.
What is left are some thirty operations on N numbers, which NumPy starts sooner than torch does.
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

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
"""Of float64, or of float32 where a device has no more."""

Product = Callable[[Array], Array]
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
class _Loss:
    """sum w theta^2 / 2, or sum w theta, for weights (B, N)."""

    weights: Array
    squared: bool

    def at(self, angles: Array) -> Array:
        """(B,), at these angles (B, N)."""
        found: Array = np.vecdot(self.weights, angles * angles / 2 if self.squared else angles)
        return found

    def pulls(self, angles: Array, sines: Array) -> Array:
        """The coefficients of minus the gradient, before what is along x is taken off: w
        phi'/sin."""
        if self.squared:
            return self.weights * np.where(angles > 1e-4, angles / sines, 1.0)
        return self.weights / sines

    def curvature(self, turned: Array, cosines: Array, sines: Array, pull: Array) -> Array:
        """The second derivative along a unit tangent, (B,); turned: <u_n, tangent>.

        Across a direction it is w phi'(theta)/tan(theta), along it w phi''(theta).
        """
        ratio = turned / sines
        along = np.minimum(ratio * ratio, 1.0)
        bend: Array = np.vecdot(pull * cosines, 1 - along)
        return bend + np.vecdot(self.weights, along) if self.squared else bend


def spherical_mean(product: Product, weights: Array, start: Array) -> Array:
    """argmin sum w_n theta_n^2 over the sphere, theta_n the angle to u_n.

    Args:
        product: of the directions; 0 for a direction that is none.
        weights: (B, N), not negative.
        start: coefficients to begin at, (B, N): normalise(sum w u).

    Returns:
        Its coefficients, (B, N), with |sum a u| = 1; 0 for a row without any direction.
    """
    return _descend(product, _Loss(weights, squared=True), start, product(start))


def spherical_median(product: Product, weights: Array, start: Array) -> Array:
    """argmin sum w_n theta_n over the sphere, as `spherical_mean`.

    A direction that the others together do not pull away from with more than its own weight is the
    median itself; the loss has a kink there, which a descent would only creep up on.
    """
    begun = product(start)
    corner = np.zeros_like(start)
    np.put_along_axis(corner, begun.argmax(axis=1)[:, None], 1.0, axis=1)
    cosines = product(corner)
    sines = _sines(cosines, float(np.finfo(weights.dtype).eps))
    same = sines < SAME
    pull = np.where(same, 0.0, weights / sines)
    pull = pull - np.vecdot(pull, cosines)[:, None] * corner
    force = np.sqrt(np.maximum(np.vecdot(pull, product(pull)), 0))
    own = np.where(same & (cosines > 0), weights, 0.0).sum(axis=1)
    # On a tie every point between two is a median: the middle, where the descent starts, is it.
    stays = force < own * (1 - SAME)
    if stays.all():
        return corner
    moving = _Loss(np.where(stays[:, None], 0.0, weights), squared=False)
    found = _descend(product, moving, start, begun)
    return np.where(stays[:, None], corner, found)


def _descend(product: Product, loss: _Loss, start: Array, begun: Array) -> Array:
    """Conjugate gradients (Polak and Ribiere) along great circles, every row by itself.

    A vector of the span is kept as the pair, (2, B, N), of its coefficients and their products.

    Args:
        start, begun: the coefficients to begin at, and their products.
    """
    tiny, rounding = np.finfo(start.dtype).tiny, float(np.finfo(start.dtype).eps)
    place = np.stack([start, begun])
    way, fall, last = (np.zeros_like(place) for _ in range(3))
    angles = np.arccos(_cut(begun))
    least = loss.at(angles)
    last_square = np.zeros_like(least)
    idle = 0
    for _ in range(STEPS):
        cosines = place[1]
        sines = _sines(cosines, rounding)
        pull = loss.pulls(angles, sines)
        fall[0] = pull - np.vecdot(pull, cosines)[:, None] * place[0]
        fall[1] = product(fall[0])
        square = np.maximum(np.vecdot(*fall), 0)
        active = square > rounding ** (2 * CLOSENESS)
        if idle > IDLE or not active.any():
            break
        kept = np.maximum(square - np.vecdot(fall[0], last[1]), 0) / np.maximum(last_square, tiny)
        way = fall + np.where(last_square > tiny, kept, 0.0)[:, None] * way
        size = np.sqrt(np.maximum(np.vecdot(*way), tiny))[:, None]
        unit = way / size
        bend = loss.curvature(unit[1], cosines, sines, pull)
        step = np.vecdot(unit[0], fall[1]) / np.maximum(bend, FLATTEST)
        step = np.where(active, np.minimum(np.maximum(step, 0.0), LONGEST_STEP), 0.0)
        most = least * (1 + 8 * rounding)
        step, angles, reached = _shortened(loss, step, angles, most, place[1], unit[1])
        reached = np.where(step > 0, reached, least)
        # The last steps are too small for the loss to show them.
        idle = 0 if (reached < least * (1 - 8 * rounding)).any() else idle + 1
        least, last_square = reached, square
        last, fall = fall, last
        cos, sin = np.cos(step)[:, None], np.sin(step)[:, None]
        # What is parallel along the great circle stays of the way that was gone.
        way = size * (cos * unit - sin * place)
        place = cos * place + sin * unit
        length = np.sqrt(np.maximum(np.vecdot(*place), 0))[:, None]
        place /= np.where(length > 0, length, 1.0)
    found: Array = place[0]
    return found


def _cut(cosines: Array) -> Array:
    return np.minimum(np.maximum(cosines, -1.0), 1.0)


def _sines(cosines: Array, rounding: float) -> Array:
    """Sines of the angles, kept from 0."""
    return np.sqrt(np.maximum(1 - cosines * cosines, rounding**2))


def _shortened(
    loss: _Loss, step: Array, angles: Array, most: Array, cosines: Array, turned: Array
) -> tuple[Array, Array, Array]:
    """The step, halved until the loss is `most` at most, or 0; the angles and the loss there."""
    for _ in range(40):
        there = np.cos(step)[:, None] * cosines + np.sin(step)[:, None] * turned
        found = np.arccos(_cut(there))
        reached = loss.at(found)
        worse = (reached > most) & (step > 0)
        if not worse.any():
            return step, found, reached
        step = np.where(worse, step / 2, step)
    return np.where(worse, 0.0, step), np.where(worse[:, None], angles, found), reached
