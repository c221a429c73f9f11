"""Negative-prompt inversion on the built-in model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

import latmix
from latmix.jobs.workbench import Workbench
from latmix.measures.likeness import psnr
from latmix.models.protocol import Model
from latmix.sampling.settings import InversionSettings
from latmix.session.machine import Machine
from latmix.store.latents import LatentStore

FACE, HEART = "an emoji of a face", "an emoji of a red heart"


@pytest.fixture(scope="module")
def latents(mini: Model, faces: list[Path]) -> torch.Tensor:
    return latmix.invert(mini, faces[:2], FACE, steps=8, solver="negative-prompt")


def test_at_any_guidance_pictures_come_back(
    mini: Model, faces: list[Path], latents: torch.Tensor
) -> None:
    pictures = [Image.open(face).convert("RGB").resize((64, 64)) for face in faces[:2]]
    bounds = mini.decode(mini.encode(pictures))
    found = {}
    for solver in ("negative-prompt", "fixed-point"):
        again = latmix.generate(mini, latents, FACE, steps=8, guidance=7.5, solver=solver)
        found[solver] = [psnr(one, two) for one, two in zip(again, bounds, strict=True)]
    assert min(found["negative-prompt"]) > 40
    assert max(found["fixed-point"]) < min(found["negative-prompt"]) - 10


def test_another_prompt_is_guided_away_from_the_source(mini: Model, latents: torch.Tensor) -> None:
    made = latmix.generate(
        mini,
        latents,
        HEART,
        steps=4,
        guidance=3.0,
        solver="negative-prompt",
        source_prompt=[FACE, HEART],
    )
    away = latmix.generate(mini, latents[:1], HEART, negative=FACE, steps=4, guidance=3.0)
    plain = latmix.generate(mini, latents[1:], HEART, steps=4, guidance=1.0)
    assert psnr(made[0], away[0]) > 50
    assert psnr(made[1], plain[0]) > 50
    assert psnr(made[0], latmix.generate(mini, latents[:1], HEART, steps=4, guidance=3.0)[0]) < 50


def test_latents_are_those_of_the_fixed_point(mini: Model, tmp_path: Path) -> None:
    bench = Workbench(mini.source, LatentStore(tmp_path), Machine("cpu"))
    shared, own = (
        bench.space(InversionSettings((64, 64), solver=solver))
        for solver in ("negative-prompt", "fixed-point")
    )
    assert shared.id == own.id
    with pytest.raises(ValueError, match="inverts at guidance 1, not"):
        InversionSettings((64, 64), guidance=7.5, solver="negative-prompt")
