"""Solvers with companions on small pipelines of every family."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import latmix
from latmix.mixing.companions import UNCONDITIONAL
from latmix.sampling.generators import drained
from latmix.sampling.pictures import generate_batch, prepare
from latmix.sampling.settings import GenerationSettings, InversionSettings

STEPS = 5


@pytest.mark.parametrize("name", ["sd15", "sdxl", "sd3", "flux", "ddpm"])
def test_pairs_come_back_in_every_family(
    name: str, tiny_folder: Callable[[str], Path], faces: list[Path]
) -> None:
    model = latmix.load_model(str(tiny_folder(name)), device="cpu")
    clean = model.encode([prepare(faces[0], InversionSettings((64, 64)))])
    pair = latmix.invert(model, faces[0], steps=STEPS, size=(64, 64), solver="belm")
    settings = GenerationSettings(1.0, STEPS, solver="belm")
    again = drained(generate_batch(model, pair, model.condition([""]), settings))
    assert float((again - clean).norm() / clean.norm()) < 1e-5


@pytest.mark.parametrize("name", ["sd15", "sdxl", "sd3"])
def test_null_text_comes_nearer_where_guidance_has_a_negative(
    name: str, tiny_folder: Callable[[str], Path], faces: list[Path]
) -> None:
    model = latmix.load_model(str(tiny_folder(name)), device="cpu")
    latents = latmix.invert(
        model, faces[0], "face", steps=3, guidance=3.0, size=(64, 64), solver="null-text"
    )
    text = latents.companions[UNCONDITIONAL]
    told = model.condition_negative([""]).tensors["text"]
    assert text.shape == (1, 3, *told.shape[1:])
    clean = model.encode([prepare(faces[0], InversionSettings((64, 64)))])
    errors = [
        float((drained(walk) - clean).norm())
        for walk in (
            generate_batch(model, each, model.condition(["face"]), GenerationSettings(3.0, 3))
            for each in (latents, latents.noise)
        )
    ]
    assert errors[0] < errors[1]
