"""Midpoint steps on small flows: the way there and back against Euler's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import latmix
from latmix.sampling.generators import drained
from latmix.sampling.pictures import generate_batch, prepare
from latmix.sampling.settings import GenerationSettings, InversionSettings
from latmix.sampling.solvers import find_solver


@pytest.mark.parametrize("name", ["sd3", "flux"])
def test_midpoint_steps_come_back_closer_than_eulers(
    name: str, tiny_folder: Callable[[str], Path], faces: list[Path]
) -> None:
    model = latmix.load_model(str(tiny_folder(name)), device="cpu")
    clean = model.encode([prepare(faces[0], InversionSettings((64, 64)))])
    told, errors = model.condition(["face"]), {}
    for solver in ("ddim", "midpoint", "fireflow"):
        latents = latmix.invert(model, faces[0], "face", steps=8, size=(64, 64), solver=solver)
        settings = GenerationSettings(1.0, 8, solver=find_solver(solver).generates)
        again = drained(generate_batch(model, latents, told, settings))
        errors[solver] = float((again - clean).norm() / clean.norm())
    assert errors["midpoint"] < errors["ddim"] / 3, errors
    assert errors["fireflow"] < errors["ddim"] / 3, errors
