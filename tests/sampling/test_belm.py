"""Exact pairs: what was inverted comes back to rounding, at any guidance."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

import latmix
from latmix.mixing.companions import SECOND, UNCONDITIONAL, Latents
from latmix.models.protocol import Model
from latmix.sampling.generators import drained
from latmix.sampling.levels import Levels
from latmix.sampling.pictures import generate_batch, prepare
from latmix.sampling.settings import GenerationSettings, InversionSettings
from latmix.sampling.trajectory import Guidance
from tests.support.closed_form import data, flow_levels, network, relative, smooth_levels, told
from tests.support.walks import generate, generate_pair, invert_pair

FACE, STEPS = "an emoji of a face", 6

GRIDS = [
    lambda steps: smooth_levels(steps, "epsilon"),
    lambda steps: smooth_levels(steps, "v_prediction"),
    flow_levels,
]


@pytest.mark.parametrize("grid", GRIDS, ids=["epsilon", "v_prediction", "flow"])
def test_it_converges_at_second_order(grid: object) -> None:
    """Halving the step quarters the error against the exact trajectory."""
    errors = []
    for steps in (40, 80, 160):
        levels = grid(steps)  # type: ignore[operator]
        net = network(levels)
        clean = data(net)
        found = drained(invert_pair(net, clean, levels, Guidance(told(3)), 1e-12))
        errors.append(relative(found.noise, net.exact_noise(clean)))
    ratios = [before / after for before, after in itertools.pairwise(errors)]
    assert all(3 < ratio < 5 for ratio in ratios), errors


@pytest.mark.parametrize("grid", GRIDS, ids=["epsilon", "v_prediction", "flow"])
def test_a_pair_comes_back(grid: object) -> None:
    levels = grid(20)  # type: ignore[operator]
    net = network(levels)
    guidance = Guidance(told(3, shift=0.3), told(3), 3.0)
    clean = data(net)
    pair = drained(invert_pair(net, clean, levels, guidance))
    assert relative(drained(generate_pair(net, pair, levels, guidance, levels)), clean) < 1e-5


def test_steps_that_go_nowhere_are_left_out() -> None:
    """A schedule may end where its last step is: nothing can leap over that."""
    short = smooth_levels(10, "epsilon")
    ends = (10.0, short.a[-1], short.s[-1])
    parts = zip((short.times, short.a, short.s), ends, strict=True)
    times, a, s = ((*part, end) for part, end in parts)
    levels = Levels(times, a, s, "epsilon")
    net = network(short)
    clean = data(net)
    pairs = [drained(invert_pair(net, clean, grid, Guidance(told(3)))) for grid in (short, levels)]
    assert torch.equal(pairs[0].noise, pairs[1].noise)
    again = drained(generate_pair(net, pairs[1], levels, Guidance(told(3)), levels))
    assert relative(again, clean) < 1e-5


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_pictures_come_back_exactly(mini: Model, faces: list[Path], guidance: float) -> None:
    pair = latmix.invert(mini, faces[:2], FACE, steps=STEPS, guidance=guidance, solver="belm")
    clean = mini.encode([prepare(face, InversionSettings((64, 64))) for face in faces[:2]])
    settings = GenerationSettings(guidance, STEPS, solver="belm")
    again = drained(generate_batch(mini, pair, mini.condition([FACE] * 2), settings))
    assert relative(again, clean) < 1e-5
    norms = [part.flatten(1).norm(dim=1) for part in (pair.noise, pair.companions[SECOND])]
    assert torch.allclose(norms[0], norms[1], rtol=0.15)


def test_both_latents_are_mixed_by_the_method() -> None:
    torch.manual_seed(0)
    pair = Latents(torch.randn(3, 4, 8, 8), {SECOND: torch.randn(3, 4, 8, 8)}, 6)
    weights = [0.2, 0.3, 0.5]
    mixed = latmix.mix(pair, weights, "nin/chm")
    assert torch.equal(mixed.noise, latmix.mix(pair.noise, weights, "nin/chm"))
    assert torch.equal(
        mixed.companions[SECOND], latmix.mix(pair.companions[SECOND], weights, "nin/chm")
    )


def test_other_steps_make_a_second_latent_of_their_own() -> None:
    levels, fewer = smooth_levels(20, "epsilon"), smooth_levels(8, "epsilon")
    net, coarse = network(levels), network(fewer)
    clean = data(net)
    pair = drained(invert_pair(net, clean, levels, Guidance(told(3))))
    found = drained(generate_pair(coarse, pair, fewer, Guidance(told(3)), levels))
    plain = drained(generate(coarse, pair.noise, fewer, Guidance(told(3))))
    assert torch.equal(
        found, drained(generate_pair(coarse, Latents(pair.noise), fewer, Guidance(told(3)), fewer))
    )
    assert relative(found, clean) < relative(plain, clean)


def test_null_text_embeddings_are_not_left_out_in_silence(mini: Model) -> None:
    text = mini.condition([""]).tensors["text"].float()[:, None]
    fitted = Latents(torch.zeros(1, 4, 16, 16), {UNCONDITIONAL: text}, 2)
    for solver in ("belm", "negative-prompt"):
        with pytest.raises(ValueError, match="generate them with solver null-text"):
            latmix.generate(mini, fitted, solver=solver, steps=2)


def test_what_cannot_be_is_said(mini: Model, faces: list[Path]) -> None:
    with pytest.raises(ValueError, match="steps must be at least 2 for belm"):
        latmix.invert(mini, faces[0], solver="belm", steps=1)
    pair = Latents(torch.zeros(1, 4, 16, 16), {SECOND: torch.zeros(1, 4, 16, 16)}, 2)
    with pytest.raises(ValueError, match="latents are pairs: generate them with solver belm"):
        latmix.generate(mini, pair, steps=2)
