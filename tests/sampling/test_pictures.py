"""The public calls end to end on the built-in model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import latmix
from latmix.measures.likeness import psnr
from latmix.models.protocol import Model
from latmix.sampling.generators import drained
from latmix.sampling.levels import Levels
from latmix.sampling.pictures import prepare
from latmix.sampling.settings import InversionSettings
from latmix.sampling.trajectory import Guidance
from tests.support.walks import generate

PROMPT = "an emoji of a face"


def test_pictures_come_back_through_noise(mini: Model, faces: list[Path]) -> None:
    """By fixed-point steps to 1e-5 of the latents that the VAE makes of them."""
    latents = latmix.invert(mini, faces[:2], PROMPT, steps=25)
    assert latents.shape == (2, 4, 16, 16)
    assert latents.dtype == torch.float32
    again = latmix.generate(mini, latents, PROMPT, steps=25, guidance=1.0)
    pictures = [prepare(face, InversionSettings((64, 64))) for face in faces[:2]]
    levels, told = Levels.of(mini.schedule, 25), Guidance(mini.condition([PROMPT] * 2))
    clean, exact = drained(generate(mini, latents, levels, told)), mini.encode(pictures)
    assert float((clean - exact).norm() / exact.norm()) < 1e-5
    bounds = mini.decode(mini.encode(pictures))
    assert all(psnr(one, other) > 45 for one, other in zip(again, bounds, strict=True))


def test_explicit_inversion_is_close_and_fixed_point_closer(mini: Model, faces: list[Path]) -> None:
    errors = []
    for solver in ("ddim", "fixed-point"):
        latents = latmix.invert(mini, faces[0], PROMPT, steps=15, solver=solver)
        [again] = latmix.generate(mini, latents[0], PROMPT, steps=15, guidance=1.0)
        bound = mini.decode(mini.encode([Image.open(faces[0]).convert("RGB").resize((64, 64))]))
        errors.append(psnr(again, bound[0]))
    assert errors[0] > 20
    assert errors[1] > errors[0] + 10


def test_a_picture_and_its_path_give_the_same_latents(mini: Model, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    clear = Image.linear_gradient("L").resize((70, 50))
    layers = Image.merge("RGBA", (clear, clear, clear.rotate(90).resize((70, 50)), clear))
    layers.save(tmp_path / "layers.png", exif=exif)
    Image.new("I;16", (64, 64), 30_000).save(tmp_path / "deep.png")
    for path in sorted(tmp_path.glob("*.png")):
        with Image.open(path) as image:
            found = latmix.invert(mini, image, steps=1, solver="ddim")
        assert torch.equal(found, latmix.invert(mini, path, steps=1, solver="ddim"))


def test_batches_do_not_change_latents(mini: Model, faces: list[Path]) -> None:
    prompts = [PROMPT, "an emoji of a red heart", ""]
    together = latmix.invert(mini, faces[:3], prompts, steps=3)
    alone = latmix.invert(mini, faces[:3], prompts, steps=3, batch=1)
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-3)


def test_a_mixture_of_one_is_the_picture(mini: Model, faces: list[Path]) -> None:
    latents = latmix.invert(mini, faces[:1], PROMPT, steps=10)
    torch.testing.assert_close(latmix.mix(latents, method="nin/chm"), latents[0])


def test_other_sizes_than_the_models_own_work(mini: Model, faces: list[Path]) -> None:
    latents = latmix.invert(mini, faces[:1], steps=3, size=(96, 64), fit="pad")
    assert latents.shape == (1, 4, 16, 24)
    assert latmix.generate(mini, latents, steps=3)[0].size == (96, 64)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"solver": "magic"}, "solver must be one of"),
        ({"size": (65, 64)}, "multiples of 4"),
        ({"fit": "squash"}, "fit must be one of"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"guidance": float("nan")}, "guidance must be"),
        ({"prompt": ["one", "two"]}, "prompt: 2 given for 1"),
        ({"batch": 0}, "batch must be at least 1"),
    ],
)
def test_bad_arguments_are_refused(
    mini: Model, faces: list[Path], arguments: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        latmix.invert(mini, faces[0], **arguments)  # type: ignore[arg-type]


def test_what_is_no_picture_is_refused(mini: Model) -> None:
    pixels: Any = torch.zeros(1, 8, 8, 3).numpy()
    with pytest.raises(ValueError, match="image must be a PIL picture or a path, not ndarray"):
        prepare(pixels[0], InversionSettings((64, 64)))
    with pytest.raises(ValueError, match="image must be a PIL picture or a path, not ndarray"):
        latmix.invert(mini, pixels)


def test_latents_of_the_wrong_shape_are_refused(mini: Model) -> None:
    with pytest.raises(ValueError, match="latents must be"):
        latmix.generate(mini, torch.zeros(4))


@pytest.mark.parametrize(("prompt", "rows"), [("", 2), (PROMPT, 4), (["", PROMPT], 4)])
def test_guidance_is_computed_where_it_has_an_effect(
    mini: Model, monkeypatch: pytest.MonkeyPatch, prompt: str | list[str], rows: int
) -> None:
    """The empty prompt is also what guidance leads away from."""
    noise = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    seen = []
    predict = type(mini).predict

    def counted(model: Model, state: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen.append(len(state))
        return predict(model, state, *rest)

    monkeypatch.setattr(type(mini), "predict", counted)
    guided = latmix.generate(mini, noise, prompt, steps=3, guidance=3.0)
    assert seen == [rows] * 3
    plain = latmix.generate(mini, noise, prompt, steps=3, guidance=1.0)
    same = [a.tobytes() == b.tobytes() for a, b in zip(guided, plain, strict=True)]
    told = [prompt] * 2 if isinstance(prompt, str) else prompt
    assert same == [text == "" for text in told]
