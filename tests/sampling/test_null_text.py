"""Null-text inversion on the built-in model: pictures come back at any guidance."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import latmix
from latmix.measures.likeness import psnr
from latmix.mixing.companions import UNCONDITIONAL, Latents
from latmix.models.protocol import Conditioning, Model
from latmix.sampling.pictures import prepare
from latmix.sampling.settings import InversionSettings

FACE, STEPS = "an emoji of a face", 4


@pytest.fixture(scope="module")
def latents(mini: Model, faces: list[Path]) -> Latents:
    return latmix.invert(mini, faces[:2], FACE, steps=STEPS, guidance=7.5, solver="null-text")


def test_pictures_come_back_at_their_guidance(
    mini: Model, faces: list[Path], latents: Latents
) -> None:
    pictures = [prepare(face, InversionSettings((64, 64))) for face in faces[:2]]
    bounds = mini.decode(mini.encode(pictures))
    made = latmix.generate(mini, latents, FACE, steps=STEPS, guidance=7.5)
    plain = latmix.generate(mini, latents.noise, FACE, steps=STEPS, guidance=7.5)
    for picture, bound, one, other in zip(pictures, bounds, made, plain, strict=True):
        assert psnr(one, picture) > psnr(bound, picture) - 1
        assert psnr(one, bound) > psnr(other, bound) + 6


def test_noise_is_that_of_the_fixed_point(mini: Model, faces: list[Path], latents: Latents) -> None:
    noise = latmix.invert(mini, faces[:2], FACE, steps=STEPS)
    assert float((latents.noise - noise).norm() / noise.norm()) < 1e-4


def test_a_picture_does_not_depend_on_those_beside_it(
    mini: Model, faces: list[Path], latents: Latents
) -> None:
    alone = latmix.invert(mini, faces[1], FACE, steps=STEPS, guidance=7.5, solver="null-text")
    assert float((alone.noise[0] - latents.noise[1]).norm() / alone.noise.norm()) < 1e-4
    beside = latents.rows(slice(1, 2))
    made = [
        latmix.generate(mini, some, FACE, steps=STEPS, guidance=7.5)[0] for some in (alone, beside)
    ]
    assert psnr(*made) > 40
    # Adam divides gradients by their size, so that rounding shows where they are next to nothing.
    one, both = (some.companions[UNCONDITIONAL] for some in (alone, beside))
    assert float((one - both).norm() / one.norm()) < 0.2


def test_embeddings_are_mixed_linearly_with_the_latents_weights(
    mini: Model, latents: Latents
) -> None:
    mixed = latmix.mix(latents, [[0.25, 0.75], [1.0, 0.0]], method="nin/chm")
    text = latents.companions[UNCONDITIONAL]
    expected = torch.stack([0.25 * text[0] + 0.75 * text[1], text[0]])
    assert torch.allclose(mixed.companions[UNCONDITIONAL], expected, atol=1e-5)
    assert torch.equal(
        mixed.noise, latmix.mix(latents.noise, [[0.25, 0.75], [1.0, 0.0]], "nin/chm")
    )
    one = latmix.mix(latents, [1.0, 0.0])
    pictures = [
        latmix.generate(mini, some, FACE, steps=STEPS, guidance=7.5)[0]
        for some in (one, latents.rows(slice(0, 1)))
    ]
    assert psnr(*pictures) > 50


def test_other_steps_take_the_embeddings_nearest_in_time(mini: Model, latents: Latents) -> None:
    """So that drafts can be made: worse than at its own steps, better than without."""
    draft = latmix.generate(mini, latents, FACE, steps=STEPS // 2, guidance=7.5)
    exact = latmix.generate(mini, latents, FACE, steps=STEPS, guidance=7.5)
    assert draft[0].size == exact[0].size
    assert psnr(draft[0], exact[0]) < 60


def test_only_what_asks_for_a_gradient_gets_one(mini: Model) -> None:
    told = mini.condition([FACE])
    state = torch.zeros(1, 4, 16, 16)
    assert not mini.predict(state, 100.0, told).requires_grad
    text = told.tensors["text"].clone().requires_grad_()
    output = mini.predict(state, 100.0, Conditioning({"text": text}))
    (gradient,) = torch.autograd.grad(output.sum(), text)
    assert float(gradient.norm()) > 0
