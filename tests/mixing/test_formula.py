"""`latmix.mix` against a float64 NumPy reference, and the laws of the grid."""

from __future__ import annotations

import math
from array import array
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lolatents.lol_torch import lol_gaussian
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import latmix
from latmix.mixing.blocks import BLOCK_ELEMENTS
from latmix.mixing.formula import weight_table
from latmix.mixing.grid import methods, parse_method
from latmix.mixing.splits import LARGEST_CUTOFF, SPLITS
from latmix.mixing.summary import Summary

REPRODUCING = [name for name in methods() if not name.startswith(("fix/", "nao/"))]
"""Methods that give an input back when it has all the weight; fix and nao change its norm."""

ON_THE_SPHERE = ("slerp/", "nao/")
"""Found by iteration; all others are closed forms."""

INDIFFERENT_TO_COPIES = [
    name for name in methods() if not name.startswith("lol/") and not name.endswith("/lp:auto")
]
"""Methods that do not ask how many pictures there are."""


def reference(latents: np.ndarray, weights: np.ndarray, method: str) -> np.ndarray:
    """The formulas, written down once more and plainly: every d_n and e_n is formed."""
    norm, mean = method.split("/")
    z = latents.astype(np.float64)
    w = weights.astype(np.float64) / weights.astype(np.float64).sum()
    d = common_part(z, w, mean)
    e = z - d
    d_mixed, m = np.tensordot(w, d, 1), np.tensordot(w, e, 1)
    r = np.sqrt((e**2).sum((1, 2, 3)))
    size, radius, interpolated = np.sqrt((m**2).sum()), math.sqrt(z[0].size), w @ r
    kappa = size / interpolated
    unit = e / r[:, None, None, None]
    if norm == "adain":
        own, spread = np.sqrt((m**2).sum((1, 2))), w @ np.sqrt((e**2).sum((2, 3)))
        return d_mixed + (spread / own)[:, None, None] * m
    if norm in ("slerp", "nao"):
        mean = spherical_mean(unit.reshape(len(w), -1), w).reshape(m.shape)
        if norm == "slerp":
            return d_mixed + interpolated * mean
        median = spherical_median(unit.reshape(len(w), -1), w).reshape(m.shape)
        return d_mixed + math.sqrt(m.size - 1) * median
    rho = {
        "lin": size,
        "fix": radius,
        "nin": interpolated,
        "coh": kappa**2 * interpolated + (1 - kappa**2) * radius,
        "lol": size / math.sqrt((w**2).sum()),
        "clol": size / np.sqrt((np.tensordot(w, unit, 1) ** 2).sum()),
    }[norm]
    return d_mixed + rho * m / size


def spherical_mean(units: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Buss & Fillmore's algorithm A1, as published: full vectors, plain steps."""
    x = w @ units
    x /= np.linalg.norm(x)
    for _ in range(10_000):
        cosines = np.clip(units @ x, -1, 1)
        angles = np.arccos(cosines)
        factors = w * angles / np.maximum(np.sin(angles), 1e-300)
        step = factors @ units - (factors @ cosines) * x
        length = np.linalg.norm(step)
        if length < 1e-9:
            break
        x = math.cos(length) * x + math.sin(length) * step / length
        x /= np.linalg.norm(x)
    return x


def spherical_median(units: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Minimises sum w theta over all vectors, not only the span, by a general descent; then asks
    whether an input does better."""
    u, weights = torch.from_numpy(units), torch.from_numpy(w)
    x = (weights @ u).requires_grad_()

    def loss() -> torch.Tensor:
        cosines = u @ x / x.norm()
        return weights @ torch.acos(cosines.clamp(-1 + 1e-15, 1 - 1e-15))

    def closure() -> torch.Tensor:
        descent.zero_grad()
        value = loss()
        value.backward()
        return value

    descent = torch.optim.LBFGS(
        [x], max_iter=500, tolerance_grad=1e-11, tolerance_change=0, line_search_fn="strong_wolfe"
    )
    descent.step(closure)
    at_inputs = np.arccos(np.clip(units @ units.T, -1, 1)) @ w
    best = int(at_inputs.argmin())
    if at_inputs[best] <= loss().item() + 1e-9:
        return units[best]
    # The loss shows its minimum to the root of its rounding only; the gradient says more.
    place = (x / x.norm()).detach().numpy()
    for _ in range(200):
        cosines = units @ place
        if cosines.max() > 1 - 1e-9:  # an input is the median
            break
        pull = w / np.sqrt(1 - cosines**2)
        place = place + (pull @ units - (pull @ cosines) * place) / pull.sum()
        place /= np.linalg.norm(place)
    return place


def common_part(z: np.ndarray, w: np.ndarray, mean: str) -> np.ndarray:
    """d_n of each latent, formed."""
    if mean.startswith("lp:"):
        height, width = z.shape[2:]
        rows, columns = np.fft.fftfreq(height) * width, np.fft.fftfreq(width) * width
        radius = np.hypot(rows[:, None], columns[None])
        spectra = np.fft.fft2(z)
        cutoff = shared_ring(spectra, radius, w) if mean == "lp:auto" else float(mean[3:])
        return np.fft.ifft2(spectra * (radius <= cutoff + 1e-9)).real
    axes = {"0": None, "m": (1, 2, 3), "chm": (2, 3)}[mean]
    return (
        np.zeros_like(z) if axes is None else np.broadcast_to(z.mean(axes, keepdims=True), z.shape)
    )


def shared_ring(spectra: np.ndarray, radius: np.ndarray, w: np.ndarray) -> float:
    """The largest ring with N_eff s > 1."""
    largest, beta = 0, (w**2).sum()
    for ring in range(1, 9):
        inside = (radius > ring - 1 + 1e-9) & (radius <= ring + 1e-9)
        if not inside.any():
            continue
        common = (np.abs(np.tensordot(w, spectra, 1)) ** 2)[:, inside].mean()
        own = np.tensordot(w, np.abs(spectra) ** 2, 1)[:, inside].mean()
        if beta < 1 and (common - beta * own) / ((1 - beta) * own) > beta:
            largest = ring
    return largest


def relative_error(actual: torch.Tensor, expected: np.ndarray) -> float:
    difference = actual.double().numpy() - expected
    return float(np.sqrt((difference**2).sum() / (expected**2).sum()))


def noise(
    seed: int, count: int, shape: tuple[int, ...] = (4, 10, 20), bias: float = 0.3
) -> np.ndarray:
    generator = np.random.default_rng(seed)
    shared = bias * generator.standard_normal((1, shape[0], 1, 1))
    return generator.standard_normal((count, *shape)) + shared


@pytest.mark.parametrize("method", methods())
@pytest.mark.parametrize("count", [1, 2, 3, 17, 250, 1000])
def test_agrees_with_a_float64_reference_at_any_n(method: str, count: int) -> None:
    latents = noise(count, count).astype(np.float32)
    weights = np.random.default_rng(count).gamma(1.0, size=count)
    mixed = latmix.mix(torch.from_numpy(latents), torch.from_numpy(weights), method)
    assert mixed.dtype == torch.float32
    assert relative_error(mixed, reference(latents, weights, method)) < 1e-5


@pytest.mark.parametrize("method", methods())
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_agrees_for_any_float_type(method: str, dtype: torch.dtype) -> None:
    latents = torch.from_numpy(noise(5, 12)).to(dtype)
    weights = np.arange(1.0, 13.0)
    mixed = latmix.mix(latents, torch.from_numpy(weights), method)
    assert mixed.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    exact = reference(latents.double().numpy(), weights, method)
    closed = not method.startswith(ON_THE_SPHERE)
    double = 1e-12 if closed else 1e-8
    assert relative_error(mixed, exact) < (double if dtype == torch.float64 else 1e-5)


@pytest.mark.parametrize("method", methods())
def test_agrees_where_the_mean_dwarfs_the_rest(method: str) -> None:
    latents = (100.0 + 1e-2 * noise(3, 6)).astype(np.float32)
    exact = reference(latents, np.ones(6), method)
    mixed = latmix.mix(torch.from_numpy(latents), None, method)
    assert relative_error(mixed, exact) < 1e-5


@pytest.mark.parametrize("method", methods())
def test_many_weightings_are_the_single_ones_stacked(method: str) -> None:
    latents = torch.from_numpy(noise(1, 7))
    weights = torch.from_numpy(np.random.default_rng(2).gamma(1.0, size=(5, 7)))
    together = latmix.mix(latents, weights, method)
    assert together.shape == (5, 4, 10, 20)
    for row, weight in zip(together, weights, strict=True):
        torch.testing.assert_close(row, latmix.mix(latents, weight, method))


def test_no_weights_are_equal_weights() -> None:
    latents = torch.from_numpy(noise(1, 5))
    torch.testing.assert_close(latmix.mix(latents), latmix.mix(latents, [2.0] * 5))


def test_other_shapes_are_mixed_too() -> None:
    flat = torch.randn(4, 50, dtype=torch.float64)
    assert latmix.mix(flat, method="nin/m").shape == (50,)
    video = torch.randn(4, 3, 2, 5, 5)
    assert latmix.mix(video, method="nin/chm").shape == (3, 2, 5, 5)


@st.composite
def mixtures(draw: st.DrawFn) -> tuple[torch.Tensor, np.ndarray]:
    count = draw(st.integers(2, 6))
    seed = draw(st.integers(0, 2**31))
    bias = draw(st.sampled_from([0.0, 0.3, 2.0]))
    scale = draw(st.sampled_from([1e-3, 0.77, 1.0, 40.0]))
    weights = draw(st.lists(st.floats(1e-3, 1.0), min_size=count, max_size=count))
    return torch.from_numpy(scale * noise(seed, count, bias=bias)), np.array(weights)


@settings(deadline=None, max_examples=40)
@given(mixtures(), st.sampled_from(REPRODUCING), st.data())
def test_an_input_with_all_the_weight_comes_back(
    mixture: tuple[torch.Tensor, np.ndarray], method: str, data: st.DataObject
) -> None:
    latents, weights = mixture
    vertex = data.draw(st.integers(0, len(weights) - 1))
    only = torch.zeros(len(weights), dtype=torch.float64)
    only[vertex] = 3.0
    torch.testing.assert_close(latmix.mix(latents, only, method), latents[vertex])


@settings(deadline=None, max_examples=40)
@given(mixtures(), st.sampled_from(methods()), st.randoms())
def test_order_and_scale_of_the_weights_do_not_matter(
    mixture: tuple[torch.Tensor, np.ndarray], method: str, random: object
) -> None:
    latents, weights = mixture
    order = list(range(len(weights)))
    random.shuffle(order)  # type: ignore[attr-defined]
    straight = latmix.mix(latents, torch.from_numpy(weights), method)
    shuffled = latmix.mix(latents[order], torch.from_numpy(weights[order] * 7.5), method)
    # A centroid on the sphere is found by descent: its minimum is flat, its sums are in any order.
    loose = {"rtol": 1e-5, "atol": 1e-5} if method.startswith(ON_THE_SPHERE) else {}
    torch.testing.assert_close(straight, shuffled, **loose)


@settings(deadline=None, max_examples=40)
@given(mixtures(), st.sampled_from(INDIFFERENT_TO_COPIES))
def test_a_picture_listed_twice_at_half_weight_changes_nothing(
    mixture: tuple[torch.Tensor, np.ndarray], method: str
) -> None:
    latents, weights = mixture
    halved = np.concatenate([[weights[0] / 2], weights[1:], [weights[0] / 2]])
    twice = torch.cat([latents, latents[:1]])
    # As above; the more so where the latents are small beside their mean.
    loose = {"rtol": 1e-5, "atol": 1e-5} if method.startswith(ON_THE_SPHERE) else {}
    torch.testing.assert_close(
        latmix.mix(latents, torch.from_numpy(weights), method),
        latmix.mix(twice, torch.from_numpy(halved), method),
        **loose,
    )


def test_lol_alone_is_changed_by_a_picture_listed_twice() -> None:
    latents = torch.from_numpy(noise(4, 2))
    once = latmix.mix(latents, [0.5, 0.5], "lol/0")
    twice = latmix.mix(torch.cat([latents, latents[:1]]), [0.25, 0.5, 0.25], "lol/0")
    assert not torch.allclose(once, twice)


@settings(deadline=None, max_examples=40)
@given(mixtures(), st.sampled_from(methods()))
def test_the_normalised_part_has_the_target_norm(
    mixture: tuple[torch.Tensor, np.ndarray], method: str
) -> None:
    latents, weights = mixture
    norm, mean = method.split("/")
    mixed = latmix.mix(latents, torch.from_numpy(weights), method)
    w = torch.from_numpy(weights / weights.sum())
    d = torch.from_numpy(common_part(latents.numpy(), w.numpy(), mean).copy())
    r = (latents - d).flatten(1).norm(dim=1)
    rest = mixed - torch.tensordot(w, d, 1)
    if norm == "fix":
        assert math.isclose(rest.norm(), math.sqrt(latents[0].numel()), rel_tol=1e-9)
    if norm == "nin":
        assert math.isclose(rest.norm(), w @ r, rel_tol=1e-9)
    if norm == "coh":
        low, high = sorted([float(w @ r), math.sqrt(latents[0].numel())])
        assert low * (1 - 1e-9) <= rest.norm() <= high * (1 + 1e-9)


@settings(deadline=None, max_examples=40)
@given(mixtures(), st.sampled_from([name for name in methods() if not name.endswith(("/0", "/m"))]))
def test_channel_means_of_chm_never_exceed_the_inputs(
    mixture: tuple[torch.Tensor, np.ndarray], method: str
) -> None:
    latents, weights = mixture
    means = latents.mean((2, 3))
    mixed = latmix.mix(latents, torch.from_numpy(weights), method).mean((1, 2))
    slack = 1e-9 * float(latents.abs().max())
    assert bool((mixed <= means.amax(0) + slack).all())
    assert bool((mixed >= means.amin(0) - slack).all())


@settings(deadline=None, max_examples=20)
@given(mixtures(), st.sampled_from(REPRODUCING))
def test_continuous_at_the_inputs(mixture: tuple[torch.Tensor, np.ndarray], method: str) -> None:
    latents, weights = mixture
    assume(len(weights) > 1)
    nearly = torch.full((len(weights),), 1e-7, dtype=torch.float64)
    nearly[0] = 1.0
    size = float(latents[0].norm())
    error = float((latmix.mix(latents, nearly, method) - latents[0]).norm()) / size
    # coh leaves an input towards sqrt(L), which may be far from its norm.
    assert error < 1e-4 * max(1.0, math.sqrt(latents[0].numel()) / size)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.just(0.0)),
        min_size=3,
        max_size=3,
    )
)
def test_any_weights_give_finite_latents_or_a_sentence(weights: list[float]) -> None:
    latents = torch.from_numpy(noise(9, 3))
    try:
        mixed = latmix.mix(latents, weights, "nin/chm")
    except ValueError as error:
        assert "weights" in str(error)
    else:
        assert bool(torch.isfinite(mixed).all())
        assert min(weights) >= 0


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([0.5, -0.1, 0.6], "negative"),
        ([0.5, math.nan, 0.5], "finite"),
        ([0.5, math.inf, 0.5], "finite"),
        ([0.0, 0.0, 0.0], "all zero"),
        ([0.5, 0.5], r"shape \(3,\)"),
        ([[[1.0, 1.0, 1.0]]], "shape"),
    ],
)
def test_weights_that_cannot_be_meant_are_refused(weights: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        latmix.mix(torch.randn(3, 4, 4, 4), weights)


@pytest.mark.parametrize(
    ("latents", "said"),
    [
        (torch.ones(3, 4, 4, 4, dtype=torch.int64), "float type"),
        (torch.full((2, 4, 4, 4), math.nan), "finite"),
        (torch.zeros(0, 4, 4, 4), "not empty"),
        (torch.ones(3), r"\(N, ...\)"),
        (torch.ones(3, 5), "channels"),
    ],
)
def test_latents_that_cannot_be_mixed_are_refused(latents: torch.Tensor, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        latmix.mix(latents, method="nin/chm")


def test_latents_that_cancel_are_refused_where_a_direction_is_needed() -> None:
    z = torch.randn(1, 4, 4, 4)
    with pytest.raises(ValueError, match="cancel"):
        latmix.mix(torch.cat([z, -z]), method="fix/0")
    assert float(latmix.mix(torch.cat([z, -z]), method="lin/0").norm()) < 1e-6


def test_latents_that_are_all_split_off_are_refused_where_a_direction_is_needed() -> None:
    small = torch.from_numpy(noise(3, 4, (4, 5, 5)))
    with pytest.raises(ValueError, match="cancel"):
        latmix.mix(small, method="fix/lp:8")
    torch.testing.assert_close(latmix.mix(small, method="nin/lp:8"), small.mean(0))


def test_flat_latents_are_mixed_by_their_means_alone() -> None:
    flat = torch.tensor([1.0, 3.0]).reshape(2, 1, 1, 1).expand(2, 4, 3, 3)
    torch.testing.assert_close(latmix.mix(flat, method="nin/chm"), torch.full((4, 3, 3), 2.0))


def test_an_unknown_method_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="nin/chm"):
        latmix.mix(torch.randn(2, 4, 4, 4), method="nin/chn")


def test_the_grid_has_every_norm_with_every_mean_but_adain() -> None:
    assert len(methods()) == 8 * len(SPLITS) + 1 == len(set(methods())) == 49
    assert [name for name in methods() if name.startswith("adain/")] == ["adain/chm"]
    assert latmix.methods() == methods()


@pytest.mark.parametrize("method", ["nin/lp:0", "fix/lp:1.5", "coh/lp:8", "lin/lp:3"])
@pytest.mark.parametrize("shape", [(4, 16, 16), (3, 8, 20), (2, 15, 19)])
def test_any_cut_off_agrees_with_the_reference(method: str, shape: tuple[int, ...]) -> None:
    latents, weights = noise(2, 9, shape), np.arange(1.0, 10.0)
    mixed = latmix.mix(torch.from_numpy(latents), torch.from_numpy(weights), method)
    assert relative_error(mixed, reference(latents, weights, method)) < 1e-10


def test_a_cut_off_of_zero_is_the_channel_mean() -> None:
    latents = torch.from_numpy(noise(2, 5))
    channels = latmix.mix(latents, method="nin/chm")
    torch.testing.assert_close(latmix.mix(latents, method="nin/lp:0"), channels)


def test_the_automatic_cut_off_finds_the_rings_that_are_shared() -> None:
    """Twelve latents share a pattern of 3 cycles; independent noise shares none."""
    torch.manual_seed(0)
    latents = torch.randn(12, 4, 16, 16, dtype=torch.float64)
    wave = torch.cos(torch.arange(16) * 3 * 2 * math.pi / 16).double()
    automatic = latmix.mix(latents + wave, method="nin/lp:auto")
    torch.testing.assert_close(automatic, latmix.mix(latents + wave, method="nin/lp:3"))
    torch.testing.assert_close(
        latmix.mix(latents, method="nin/lp:auto"), latmix.mix(latents, method="nin/chm")
    )


def test_adain_is_refused_with_another_mean_split() -> None:
    for name in ("adain/0", "adain/m", "adain/lp:2", "adain/lp:auto"):
        with pytest.raises(ValueError, match="adain is adain/chm only"):
            latmix.mix(torch.randn(2, 4, 8, 8), method=name)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_adain_of_two_is_that_of_diffmorpher(share: float) -> None:
    """Each channel normalised, then given the interpolated mean and standard deviation."""
    z = torch.from_numpy(noise(6, 2))
    line = torch.lerp(z[0], z[1], share)
    if share == 0.5:
        # In the middle the direction is SLERP's too, which DiffMorpher goes along.
        angle = torch.acos(torch.cosine_similarity(z[0].flatten(), z[1].flatten(), dim=0))
        line = (torch.sin(angle / 2) / torch.sin(angle)) * (z[0] + z[1])
    means, deviations = z.mean((2, 3)), z.std((2, 3), correction=0)
    mean, deviation = (torch.lerp(x[0], x[1], share)[:, None, None] for x in (means, deviations))
    own_mean = line.mean((1, 2), keepdim=True)
    own_deviation = line.std((1, 2), correction=0, keepdim=True)
    expected = (line - own_mean) / own_deviation * deviation + mean
    torch.testing.assert_close(latmix.mix(z, [1 - share, share], "adain/chm"), expected)


@pytest.mark.parametrize("count", [2, 5, 40])
def test_lol_is_the_transform_of_its_authors_given_the_mean(count: int) -> None:
    latents = torch.from_numpy(noise(count, count))
    weights = torch.from_numpy(np.random.default_rng(count).dirichlet(np.ones(count), size=3))
    mixed = latmix.mix(latents, weights, "lol/chm")
    flat = latents.flatten(1)
    for row, weight in zip(mixed, weights, strict=True):
        mean = torch.tensordot(weight, latents.mean((2, 3), keepdim=True), 1)
        # The residuals have mean 0; their transform, and the linear mean beside it.
        residual = flat - latents.mean((2, 3), keepdim=True).expand_as(latents).flatten(1)
        theirs = lol_gaussian(weight[None], residual)[0].reshape(row.shape)
        torch.testing.assert_close(row, mean + theirs)


@pytest.mark.parametrize("norm", ["clol", "slerp", "nao", "lol", "coh"])
def test_a_cut_off_of_zero_is_the_channel_mean_under_every_norm(norm: str) -> None:
    latents = torch.from_numpy(noise(2, 5))
    zero, chm = (latmix.mix(latents, method=f"{norm}/{mean}") for mean in ("lp:0", "chm"))
    torch.testing.assert_close(zero, chm)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(2, 40),
    st.sampled_from([0.0, 0.3, 30.0, 3000.0]),
    st.sampled_from([1.0, 1e-1, 1e-2, 1e-3]),
    st.sampled_from([name for name in methods() if not name.startswith(ON_THE_SPHERE)]),
)
def test_float32_latents_lose_nothing_however_the_method_amplifies(
    count: int, bias: float, share: float, method: str
) -> None:
    """Latents of which all but a small share cancels, or is common: float32 sums do not do."""
    generator = np.random.default_rng(count)
    pattern = (
        generator.standard_normal((1, 4, 8, 8))
        * np.where(np.arange(count) % 2, 1, -1)[:, None, None, None]
    )
    latents = (pattern + share * generator.standard_normal((count, 4, 8, 8)) + bias).astype(
        np.float32
    )
    mixed = latmix.mix(torch.from_numpy(latents), None, method)
    exact = latmix.mix(torch.from_numpy(latents).double(), None, method)
    assert relative_error(mixed, exact.numpy()) < 1e-5


@pytest.mark.parametrize(
    "method",
    ["nin/lp:", "nin/lp:-1", "nin/lp:9", "nin/lp:nan", "nin/lp:x", "nin/lp:2\n", "nin/lp: 2"],
)
def test_cut_offs_that_cannot_be_are_refused(method: str) -> None:
    with pytest.raises(ValueError, match="cut-off"):
        latmix.mix(torch.randn(2, 4, 8, 8), method=method)


def test_a_low_pass_needs_height_and_width() -> None:
    with pytest.raises(ValueError, match=r"\(N, C, H, W\)"):
        latmix.mix(torch.randn(2, 4, 8), method="nin/lp:2")


def test_a_picture_alone_shares_no_ring() -> None:
    latents = torch.randn(3, 4, 16, 16, dtype=torch.float64)
    mixed = latmix.mix(latents, [1.0, 0.0, 0.0], "fix/lp:auto")
    torch.testing.assert_close(mixed, latmix.mix(latents, [1.0, 0.0, 0.0], "fix/chm"))


def test_names_of_cut_offs_are_one() -> None:
    assert parse_method("nin/lp:2.0").name == parse_method("nin/lp:2").name == "nin/lp:2"


@pytest.mark.parametrize("method", ["lin/0", "fix/0", "nin/chm", "nin/lp:1"])
@pytest.mark.parametrize("scale", [1e-22, 1e18])
def test_squares_beyond_float32_are_no_harm(method: str, scale: float) -> None:
    latents = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(3)) * scale
    exact = latmix.mix(latents.double(), [0.1, 0.2, 0.3, 0.4], method)
    mixed = latmix.mix(latents, [0.1, 0.2, 0.3, 0.4], method)
    assert float((mixed - exact).norm() / exact.norm()) < 1e-5


def test_a_first_mixture_without_gradients_leaves_later_ones_theirs() -> None:
    latents = torch.randn(3, 2, 10, 14, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        latmix.mix(latents, method="nin/lp:1")
    latents.requires_grad_()
    latmix.mix(latents, method="nin/lp:1")


class Allocations(TorchDispatchMode):
    """Notes the bytes of every tensor that an operation makes."""

    def __init__(self, own: torch.Tensor) -> None:
        super().__init__()
        self._own = own.untyped_storage().data_ptr()
        self.found: list[int] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                if storage.data_ptr() != self._own:
                    self.found.append(storage.nbytes())
        return made


@pytest.mark.parametrize("method", ["nin/lp:1", "fix/chm", "clol/chm", "adain/chm"])
def test_latents_in_a_file_are_read_in_pieces(tmp_path: Path, method: str) -> None:
    """However many there are: nothing is made that is larger than a block in float64."""
    count, length = 1024, 4 * 64 * 64
    latents = torch.from_file(str(tmp_path / "z"), True, count * length, dtype=torch.float32)
    latents = latents.reshape(count, 4, 64, 64)
    latents[::100] = torch.randn(11, 4, 64, 64)
    with Allocations(latents) as made:
        mixed = latmix.mix(latents, torch.rand(2, count), method)
    assert mixed.shape == (2, 4, 64, 64)
    assert max(made.found) <= 8 * BLOCK_ELEMENTS < latents.numel() * 4


@pytest.mark.parametrize(("width", "most"), [(2, 1.0), (8, 4.0), (16, 8.0), (24, 8.0)])
def test_latents_that_share_all_keep_something_to_scale(width: int, most: float) -> None:
    """The automatic cut-off stops where every frequency along a row is inside."""
    generator = torch.Generator().manual_seed(0)
    shared = torch.randn(1, 4, width, width, generator=generator)
    latents = shared + 0.1 * torch.randn(12, 4, width, width, generator=generator)
    weights = torch.full((1, 12), 1 / 12, dtype=torch.float64)
    cut = Summary.of(latents, LARGEST_CUTOFF).cut(parse_method("nin/lp:auto").split, weights)
    assert cut.cutoffs is not None and cut.cutoffs.tolist() == [most]
    for method in ("fix/lp:auto", "nin/lp:auto", "slerp/lp:auto"):
        assert bool(torch.isfinite(latmix.mix(latents, method=method)).all())


@pytest.mark.filterwarnings("error")
def test_weights_come_in_any_kind_of_sequence_and_are_not_changed() -> None:
    fixed = np.array([1.0, 2.0, 5.0])
    fixed.flags.writeable = False
    kept = array("d", fixed)
    for weights in (kept, fixed, fixed.astype(np.float32), (fixed * 3e307).tolist()):
        [row] = weight_table(weights, 3, torch.device("cpu"))
        assert row.tolist() == pytest.approx([0.125, 0.25, 0.625], rel=1e-15)
        row[0] = 9.0
    assert list(kept) == [1.0, 2.0, 5.0]
    for bad in ([1.0, math.inf, 1.0], [1.0, math.nan, 1.0], [1.0, -1.0, 1.0], [0.0, 0.0, 0.0]):
        with pytest.raises(ValueError, match="weight"):
            weight_table(bad, 3, torch.device("cpu"))
