"""The spherical mean and median, and norm-aware optimisation, against what defines them."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import latmix
from latmix.mixing import nao, sphere
from latmix.mixing.norms import likeliest_norm
from latmix.mixing.sphere import spherical_mean, spherical_median


def found(units: torch.Tensor, weights: torch.Tensor, squared: bool) -> torch.Tensor:
    """The vector that is the centre of one weighting."""
    cosines, rows = (units @ units.T).numpy(), weights[None].numpy()
    start = rows / (rows @ cosines @ rows.T) ** 0.5
    centre = (spherical_mean if squared else spherical_median)(lambda a: a @ cosines, rows, start)
    return torch.from_numpy(centre[0]) @ units


@st.composite
def weighted(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor]:
    """Directions, nearly orthogonal or bunched, and weights."""
    count = draw(st.integers(2, 30))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    bias = draw(st.sampled_from([0.0, 0.3, 3.0]))
    units = torch.randn(count, 400, generator=generator, dtype=torch.float64) + bias
    weights = torch.rand(count, generator=generator, dtype=torch.float64) ** 2 + 1e-3
    return units / units.norm(dim=1, keepdim=True), weights / weights.sum()


@settings(deadline=None, max_examples=60)
@given(weighted())
def test_the_mean_is_a_fixed_point_of_a1(mixture: tuple[torch.Tensor, torch.Tensor]) -> None:
    units, weights = mixture
    x = found(units, weights, squared=True)
    angles = torch.acos((units @ x).clamp(-1, 1))
    factors = weights * angles / torch.sin(angles)
    step = factors @ (units - torch.cos(angles)[:, None] * x)
    assert float(step.norm()) < 1e-6
    assert float(x.norm()) == pytest.approx(1.0)


@settings(deadline=None, max_examples=60)
@given(weighted(), st.booleans())
def test_no_step_of_the_descent_raises_the_loss(
    mixture: tuple[torch.Tensor, torch.Tensor], squared: bool
) -> None:
    units, weights = mixture
    losses = []
    for steps in range(12):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sphere, "STEPS", steps)
            angles = torch.acos((units @ found(units, weights, squared)).clamp(-1, 1))
        losses.append(float(weights @ (angles.square() / 2 if squared else angles)))
    assert all(after <= before * (1 + 1e-14) for before, after in pairwise(losses))


@settings(deadline=None, max_examples=60)
@given(weighted())
def test_nothing_near_or_far_is_a_better_median(
    mixture: tuple[torch.Tensor, torch.Tensor],
) -> None:
    units, weights = mixture
    x = found(units, weights, squared=False)
    nearby = x + 1e-3 * torch.randn(200, len(x), dtype=torch.float64) / math.sqrt(len(x))
    others = torch.cat([units, nearby / nearby.norm(dim=1, keepdim=True)])
    best = float(weights @ torch.acos((units @ x).clamp(-1, 1)))
    assert bool((torch.acos((others @ units.T).clamp(-1, 1)) @ weights >= best - 1e-7).all())


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5, 0.9, 1.0])
def test_two_latents_are_mixed_by_slerp(share: float) -> None:
    """L&K eq. 3, on directions, with the interpolated norm."""
    torch.manual_seed(0)
    a, b = torch.randn(2, 4, 8, 8, dtype=torch.float64).unbind()
    u, v = a / a.norm(), b / b.norm()
    angle = torch.acos((u * v).sum())
    turned = (torch.sin((1 - share) * angle) * u + torch.sin(share * angle) * v) / torch.sin(angle)
    expected = turned * ((1 - share) * a.norm() + share * b.norm())
    mixed = latmix.mix(torch.stack([a, b]), [1 - share, share], "slerp/0")
    torch.testing.assert_close(mixed, expected)


def test_opposite_latents_have_no_mean_on_the_sphere() -> None:
    z = torch.randn(1, 4, 4, 4)
    for method in ("slerp/0", "nao/0"):
        with pytest.raises(ValueError, match="cancel"):
            latmix.mix(torch.cat([z, -z]), method=method)


def test_the_log_likelihood_is_that_of_chi() -> None:
    """Its integral is 1, and its mode the norm that nao gives."""
    norms = torch.linspace(8, 24, 20_001, dtype=torch.float64)
    likelihood = nao.log_likelihood(norms, 256).exp()
    assert float(torch.trapezoid(likelihood, norms)) == pytest.approx(1.0, abs=1e-9)
    assert float(norms[likelihood.argmax()]) == pytest.approx(likeliest_norm(16.0), abs=1e-3)


def test_a_centroid_does_as_well_as_a_descent_on_all_points() -> None:
    """The objective of Samuel et al. itself: centroid and paths in the whole space, none of them
    held to a plane, a span or a norm."""
    torch.manual_seed(0)
    latents = torch.randn(3, 64, dtype=torch.float64)
    weights = torch.tensor([0.3, 0.3, 0.4], dtype=torch.float64)
    ours = latmix.mix(latents, weights, "nao/0")

    def objective(centre: torch.Tensor, inner: torch.Tensor) -> torch.Tensor:
        losses = [
            nao.path_loss(torch.cat([z[None], points, centre[None]]), 64, longest=1e9)
            for z, points in zip(latents, inner, strict=True)
        ]
        return weights @ torch.stack(losses) - nao.log_likelihood(centre.norm(), 64)

    def descended(centre: torch.Tensor, free: bool) -> tuple[torch.Tensor, float]:
        centre = centre.clone().requires_grad_(free)
        inner = torch.stack([nao.path(z, centre.detach(), 8)[1:-1] for z in latents])
        inner.requires_grad_()
        held = [inner, centre] if free else [inner]
        descent = torch.optim.LBFGS(held, max_iter=150, line_search_fn="strong_wolfe")

        def closure() -> torch.Tensor:
            descent.zero_grad()
            value = objective(centre, inner)
            value.backward()
            return value

        descent.step(closure)
        return centre.detach(), objective(centre, inner).item()

    best, least = descended(latmix.mix(latents, weights, "lin/0"), free=True)
    _, reached = descended(ours, free=False)
    assert reached <= least * 1.01
    assert float(torch.cosine_similarity(best, ours, dim=0)) > 0.99
    assert float(best.norm()) == pytest.approx(float(ours.norm()), rel=0.02)


@pytest.mark.parametrize("scale", [0.9, 1.0, 1.2])
def test_a_path_stays_likely_where_the_straight_line_does_not(scale: float) -> None:
    torch.manual_seed(1)
    start, end = torch.randn(4, 16, 16), scale * torch.randn(4, 16, 16)
    points = nao.path(start, end)
    assert points.shape == (nao.POINTS + 1, 4, 16, 16)
    torch.testing.assert_close(points[0], start)
    torch.testing.assert_close(points[-1], end)
    norms = points[4:-4].flatten(1).norm(dim=1)
    assert float((norms - 32).abs().max()) < 1.5
    straight = torch.lerp(start, end, 0.5).norm()
    assert nao.log_likelihood(norms.min(), 1024) > nao.log_likelihood(straight, 1024) + 20


def test_a_longer_descent_never_finds_a_worse_path() -> None:
    torch.manual_seed(2)
    start, end = torch.randn(256, dtype=torch.float64), 1.3 * torch.randn(256, dtype=torch.float64)
    circle = nao.path(start, end, 16, 0)
    longest = 1.1 * float((circle[1:] - circle[:-1]).norm(dim=1).max())
    losses = [
        float(nao.path_loss(nao.path(start, end, 16, steps), 256, longest))
        for steps in (0, 1, 2, 4, 8, 16, 32)
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (torch.ones(4), torch.ones(5), "shape"),
        (torch.ones(4), torch.zeros(4), "zero"),
        (torch.ones(4), -torch.ones(4), "opposite"),
        (torch.ones(4), torch.full((4,), math.nan), "finite"),
    ],
)
def test_ends_without_a_path_are_refused(start: torch.Tensor, end: torch.Tensor, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        nao.path(start, end)
