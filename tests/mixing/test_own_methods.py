"""Norm targets and mean splits of a researcher's own, written as a user would: subclasses here."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import Tensor

import latmix
from latmix.mixing.blocks import blocks
from latmix.mixing.grid import parse_method
from latmix.mixing.live import LiveStatistics
from latmix.mixing.norms import Sizes
from latmix.mixing.sphere import Array, Product
from latmix.mixing.splits import LARGEST_CUTOFF, ChannelMeans
from latmix.mixing.statistics import Statistics
from latmix.mixing.summary import Summary
from latmix.study.figures import method_look

WEIGHTS = [1.0, 2.0, 3.0, 0.0, 0.5, 1.5]


class Halfway(latmix.Norm):
    """The geometric mean of the inputs' norm and that of noise."""

    sentence = "Halfway between the inputs' norm and that of noise."

    def target(self, sizes: Sizes) -> Tensor:
        return (sizes.mean_norm * sizes.radius).sqrt()


class Share(latmix.Norm):
    """A share of what lol gives: a norm target with a parameter."""

    name = "share"

    def __init__(self, share: float) -> None:
        self.share = share

    def target(self, sizes: Sizes) -> Tensor:
        return self.share * sizes.residual / sizes.beta.sqrt()


class Scatter(latmix.Norm):
    """Each channel scaled by itself, to the norm of noise."""

    per_channel = True

    def target(self, sizes: Sizes) -> float:
        return sizes.radius


class Alike(latmix.Norm):
    """The inputs' norm over their correlation."""

    needs_correlation = True

    def target(self, sizes: Sizes) -> Tensor:
        assert sizes.correlation is not None
        return sizes.mean_norm / sizes.correlation.sqrt()


class Differences(latmix.Split):
    """What the channels' means differ by is mixed linearly, the overall mean is not."""

    name = "diff"
    takes_channels = True


class Slow(latmix.Split):
    """The slowest waves are mixed linearly, no mean is."""

    cutoff = 1.5


class Means(ChannelMeans):
    """chm by a name of its own."""


class Doubled(latmix.Norm):
    """Turned to what has most weight: sum w^2 u, u = e/r, as long as the inputs."""

    turns = True

    def target(self, sizes: Sizes) -> Tensor:
        return sizes.mean_norm

    def centre(self, product: Product, weights: Array, start: Array) -> Array:
        found = weights**2
        length = np.sqrt((found * product(found)).sum(axis=1, keepdims=True))
        turned: Array = found / length
        return turned


class Loud(latmix.Split):
    """The channel means, and rings of two cycles while the mixture has its share of them."""

    takes_overall = takes_channels = True
    largest = 6.0

    def edges(self, last: int) -> tuple[float, ...]:
        return tuple(float(edge) for edge in range(2, min(last, 6) + 1, 2))

    def rings(self, common: Tensor, own: Tensor, beta: Tensor) -> Tensor:
        return (common > beta * own).long().cumprod(dim=1).sum(dim=1)


class Gives(latmix.Norm):
    """Whatever it is told to."""

    def __init__(self, given: object) -> None:
        self.given = given

    def target(self, sizes: Sizes) -> Tensor:
        return self.given  # type: ignore[return-value]


def parts(z: Tensor, split: str) -> tuple[Tensor, Tensor]:
    """d_n and e_n, formed."""
    overall, means = z.mean((1, 2, 3), keepdim=True), z.mean((2, 3), keepdim=True)
    own = {"diff": means - overall, "means": means}
    common = {"0": 0 * z, "m": overall, "chm": means, **own}.get(split)
    if common is None:
        cutoff = 1.5 if split == "slow" else float(split.removeprefix("lp:"))
        steps = [torch.fft.fftfreq(side).double() * z.shape[3] for side in z.shape[2:]]
        radius = torch.hypot(steps[0][:, None], steps[1])
        slow = torch.fft.ifft2(torch.fft.fft2(z) * ((radius > 0) & (radius <= cutoff))).real
        common = slow if split == "slow" else slow + means
    return common.expand_as(z), z - common


def brute_force(z: Tensor, weights: list[float], method: latmix.Method) -> Tensor:
    """The mixture from every d_n and e_n."""
    w = torch.tensor(weights).double() / sum(weights)
    d, e = parts(z, method.split.name)
    m, radius, r = torch.tensordot(w, e, 1), math.sqrt(z[0].numel()), e.flatten(1).norm(dim=1)
    units = torch.tensordot(w, e / r[:, None, None, None], 1)
    rho = {
        "halfway": (w @ r * radius) ** 0.5,
        "share": 0.7 * m.norm() / w.norm(),
        "alike": w @ r / units.norm(),
        "scatter": math.sqrt(z[0, 0].numel()),
    }[method.norm.name]
    size = m.norm() if method.norm.name != "scatter" else m.flatten(1).norm(dim=1)[:, None, None]
    return torch.tensordot(w, d, 1) + rho * m / size


def latents(count: int) -> Tensor:
    torch.manual_seed(count)
    z = torch.randn(count, 3, 16, 16, dtype=torch.float64)
    z += torch.cos(torch.arange(16) * 2 * math.pi / 16)
    return z + 0.3 * torch.randn(1, 3, 1, 1, dtype=torch.float64)


def live(z: Tensor, keeps_gram: bool) -> LiveStatistics:
    if keeps_gram:
        return LiveStatistics.of(z)
    return LiveStatistics(Summary.of(z, LARGEST_CUTOFF), lambda which: blocks(z[list(which)]))


def cutting(**values: float) -> latmix.Split:
    return type("Cutting", (latmix.Split,), values)()  # type: ignore[no-any-return]


OWN = [
    latmix.Method(Halfway(), "chm"),
    latmix.Method(norm=Halfway(), split="lp:2"),
    latmix.Method(Share(0.7), "0"),
    latmix.Method(Share(0.7), Differences()),
    latmix.Method(Halfway(), Slow()),
    latmix.Method(Scatter(), "chm"),
    latmix.Method(Scatter(), Means()),
    latmix.Method(Alike(), "m"),
]
DECIDING = [
    latmix.Method(Doubled(), "chm"),
    latmix.Method("nin", Loud()),
    latmix.Method(Alike(), Loud()),
    latmix.Method(Doubled(), Loud()),
]


@pytest.mark.parametrize("method", OWN, ids=lambda method: method.name)
@pytest.mark.parametrize("keeps_gram", [True, False])
def test_a_method_of_ones_own_has_the_statistics_and_influence_of_its_mixtures(
    method: latmix.Method, keeps_gram: bool
) -> None:
    z = latents(6)
    expected = brute_force(z, WEIGHTS, method)
    torch.testing.assert_close(latmix.mix(z, WEIGHTS, method), expected)

    found = live(z, keeps_gram).statistics(WEIGHTS, method)
    assert found.norm == pytest.approx(float(expected.norm()), rel=1e-9)
    assert found.channel_mean == pytest.approx(expected.mean((1, 2)).tolist(), abs=1e-9)
    deviations = expected.flatten(1).std(dim=1, correction=0)
    assert found.channel_std == pytest.approx(deviations.tolist(), rel=1e-9)
    w = torch.tensor(WEIGHTS).double() / sum(WEIGHTS)
    d, e = parts(z, method.split.name)
    rest, m = expected - torch.tensordot(w, d, 1), torch.tensordot(w, e, 1)
    assert found.amplification == pytest.approx(float(rest.norm() / m.norm()), rel=1e-9)
    assert found.verdict in type(found.verdict)

    inputs = live(z, keeps_gram).inputs(WEIGHTS, method)
    for index in range(6):
        rest = [0.0 if n == index else weight for n, weight in enumerate(WEIGHTS)]
        other = brute_force(z, rest, method)
        change = float((expected - other).norm() / expected.norm())
        assert inputs.influence[index] == pytest.approx(change, rel=1e-6, abs=1e-9)
        norm_ratio = float(other.norm()) / math.sqrt(z[0].numel())
        assert inputs.norm_ratio[index] == pytest.approx(norm_ratio, rel=1e-9)
        cosine = torch.cosine_similarity(expected.flatten(), z[index].flatten(), dim=0)
        assert inputs.angle[index] == pytest.approx(math.degrees(math.acos(cosine)), abs=1e-6)


@pytest.mark.parametrize("method", [*OWN, *DECIDING], ids=lambda method: method.name)
@pytest.mark.parametrize("keeps_gram", [True, False])
def test_influence_is_what_mixing_the_others_changes(
    method: latmix.Method, keeps_gram: bool
) -> None:
    z = latents(6)
    expected, running = latmix.mix(z, WEIGHTS, method), live(z, keeps_gram)
    found = running.statistics(WEIGHTS, method)
    assert found.norm == pytest.approx(float(expected.norm()), rel=1e-9)
    assert found.channel_mean == pytest.approx(expected.mean((1, 2)).tolist(), abs=1e-9)
    inputs = running.inputs(WEIGHTS, method)
    assert inputs.is_known == (keeps_gram or not method.norm.turns)
    for index in range(6):
        cosine = torch.cosine_similarity(expected.flatten(), z[index].flatten(), dim=0)
        assert inputs.angle[index] == pytest.approx(math.degrees(math.acos(cosine)), abs=1e-6)
        if not inputs.is_known:
            continue
        rest = [0.0 if n == index else weight for n, weight in enumerate(WEIGHTS)]
        other = latmix.mix(z, rest, method)
        change = float((expected - other).norm() / expected.norm())
        assert inputs.influence[index] == pytest.approx(change, rel=1e-6, abs=1e-9)
        norm_ratio = float(other.norm()) / math.sqrt(z[0].numel())
        assert inputs.norm_ratio[index] == pytest.approx(norm_ratio, rel=1e-9)


def test_a_norm_that_turns_gives_the_direction_it_says() -> None:
    z, w = latents(6), torch.tensor(WEIGHTS).double() / sum(WEIGHTS)
    d, e = parts(z, "chm")
    r = e.flatten(1).norm(dim=1)
    turned = torch.tensordot(w.square() / r, e, 1)
    expected = torch.tensordot(w, d, 1) + w @ r * turned / turned.norm()
    torch.testing.assert_close(latmix.mix(z, WEIGHTS, latmix.Method(Doubled(), "chm")), expected)


@pytest.mark.parametrize("given", [None, "long", torch.ones(3), torch.ones(1, 2, 1)], ids=repr)
def test_a_target_of_a_wrong_shape_is_refused(given: object) -> None:
    method, said = latmix.Method(Gives(given), "chm"), r"norm 'gives': target .* \(1, 1\), not "
    with pytest.raises(ValueError, match=said):
        latmix.mix(latents(5), None, method)
    for keeps_gram in (True, False):
        with pytest.raises(ValueError, match=said):
            live(latents(5), keeps_gram).statistics([1.0] * 5, method)
        with pytest.raises(ValueError, match=r"norm 'gives': target .*, not "):
            live(latents(5), keeps_gram).inputs([1.0] * 5, method)


@pytest.mark.parametrize("given", [math.nan, math.inf, torch.tensor([[math.nan]])], ids=repr)
def test_a_target_that_is_not_finite_is_refused(given: object) -> None:
    method = latmix.Method(Gives(given), "0")
    with pytest.raises(ValueError, match=r"norm 'gives': target .* finite numbers, not (nan|inf)"):
        latmix.mix(latents(5), None, method)
    with pytest.raises(ValueError, match="norm 'gives'"):
        live(latents(5), True).statistics([1.0] * 5, method)


def test_float32_latents_are_mixed_by_a_method_of_ones_own() -> None:
    z, method = latents(5), latmix.Method(Halfway(), "chm")
    mixed = latmix.mix(z.float(), None, method)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed.double(), brute_force(z, [1.0] * 5, method), atol=1e-5, rtol=0)


def test_a_method_is_its_norm_and_its_split() -> None:
    own = latmix.Method(Halfway(), "chm")
    assert (own.name, own.norm.name) == ("halfway/chm", "halfway")
    assert own.sentence.startswith("Halfway between") and "remedy" in own.sentence
    assert own == latmix.Method(Halfway(), "chm") != latmix.Method(Halfway(), "m")
    assert len({own, latmix.Method(Halfway(), "chm")}) == 1
    assert latmix.Method(Share(0.7), "0") != latmix.Method(Share(0.8), "0")
    assert latmix.Method("nin", "lp:1.5") == parse_method("nin/lp:1.5")
    assert parse_method(own) is own


@pytest.mark.parametrize(
    ("norm", "split", "said"),
    [
        ("nix", "chm", "norm must be one of lin, fix"),
        ("nin", "chn", "split must be one of 0, m, chm"),
        ("adain", "m", "adain is adain/chm only"),
        (Scatter(), "0", "scatter is scatter/chm only"),
        (Scatter(), Loud(), "scatter/loud' .* scatter is scatter/chm only"),
        (3, "chm", "norm must be a latmix.Norm or a name, not 3"),
        (Halfway, "chm", "norm must be a latmix.Norm or a name, not <class"),
        ("nin", None, "split must be a latmix.Split or a name, not None"),
        ("nin", Slow, "split must be a latmix.Split or a name, not <class"),
        ("nin", cutting(cutoff=12.0), "split 'cutting' must cut at 0 to 8 cycles, not 12"),
        ("nin", cutting(cutoff=12.0, largest=12.0), "split 'cutting' must cut at 0 to 8"),
        ("nin", cutting(largest=9.0), "split 'cutting' must cut at 0 to 8 cycles, not 9"),
        ("nin", cutting(cutoff=-1.0), "split 'cutting' must cut at 0 to 8 cycles, not -1"),
    ],
)
def test_what_is_no_method_is_refused(norm: object, split: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        latmix.Method(norm, split)  # type: ignore[arg-type]


def test_a_norm_of_ones_own_has_a_look_in_figures() -> None:
    look = method_look(latmix.Method(Halfway(), "chm"))
    assert look.dashes == method_look("nin/chm").dashes
    assert look.colour not in {method_look(name).colour for name in latmix.methods()}


def test_every_statistic_that_is_shown_says_what_it_means() -> None:
    found = LiveStatistics.of(latents(5)).statistics([1.0] * 5, latmix.Method(Halfway(), "chm"))
    shown = [field for field in dataclasses.fields(Statistics) if field.metadata]
    assert [field.name for field in shown] == [
        "norm",
        "amplification",
        "coherence",
        "effective_count",
        "low_share",
        "excess_kurtosis",
    ]
    assert all(field.metadata["meaning"].format(found) for field in shown)
