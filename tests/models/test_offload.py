"""What is on the device while a model works, and that it works the same; half precision too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import latmix
from latmix.errors import UsageError
from latmix.models.offload import Residence
from latmix.sampling.generators import drained
from latmix.sampling.pictures import generate_batch
from latmix.sampling.settings import GenerationSettings

Folder = Callable[[str], Path]


class Part(torch.nn.Linear):
    """A network that notes where it is sent."""

    def __init__(self, sent: list[tuple[str, str]], name: str) -> None:
        super().__init__(2, 2)
        self.sent, self.name = sent, name

    def to(self, *words: Any, **named: Any) -> Any:
        self.sent.append((self.name, str(words[0])))
        return self


def test_only_the_part_at_work_is_on_the_device() -> None:
    sent: list[tuple[str, str]] = []
    parts = Residence(torch.device("cuda"), "model")
    for name in ("text", "unet", "vae"):
        parts.take(name, Part(sent, name))
    assert sent == []
    for name in ("text", "unet", "unet", "vae"):
        assert parts[name].name == name
    assert sent == [
        *(("text", "cuda"), ("text", "cpu"), ("unet", "cuda")),
        *(("unet", "cpu"), ("vae", "cuda")),
    ]


def test_without_offload_all_parts_stay_on_the_device() -> None:
    sent: list[tuple[str, str]] = []
    parts = Residence(torch.device("cuda"))
    for name in ("text", "unet"):
        parts.take(name, Part(sent, name))
    assert parts["text"] is not parts["unet"]
    assert sent == [("text", "cuda"), ("unet", "cuda")]


@pytest.mark.parametrize("name", ["sd15", "sd3"])
@pytest.mark.parametrize("offload", ["model", "sequential"])
def test_an_offloaded_model_makes_the_same(name: str, offload: str, tiny_folder: Folder) -> None:
    whole = latmix.load_model(str(tiny_folder(name)), device="cpu")
    spread = latmix.load_model(str(tiny_folder(name)), device="cpu", offload=offload)
    picture = Image.radial_gradient("L").resize((64, 64)).convert("RGB")
    settings, found = GenerationSettings(4.0, 2), []
    for model in (whole, spread):
        latents = model.encode([picture])
        told = model.condition(["a heart"])
        clean = drained(generate_batch(model, latents, told, settings))
        found.append((latents, clean, model.decode(clean)[0].tobytes()))
    torch.testing.assert_close(found[0][0], found[1][0])
    torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-4, atol=1e-4)
    if offload == "sequential":
        assert next(spread._denoiser.parameters()).device.type == "meta"  # type: ignore[attr-defined]


def test_a_way_that_is_not_known_is_a_sentence() -> None:
    with pytest.raises(UsageError, match=r"(?s)offload.*sequential"):
        latmix.load_model("mini", device="cpu", offload="disk")
    with pytest.raises(ValueError, match="offload must be one of"):
        Residence(torch.device("cpu"), "disk")


def test_a_network_in_half_precision_has_states_in_float32(tiny_folder: Folder) -> None:
    folder = str(tiny_folder("sd15"))
    exact, half = (latmix.load_model(folder, "cpu", dtype) for dtype in ("float32", "bfloat16"))
    assert next(half._denoiser.parameters()).dtype == torch.bfloat16  # type: ignore[attr-defined]
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    made = []
    for model in (exact, half):
        walk = generate_batch(model, noise, model.condition(["a"]), GenerationSettings(1.0, 4))
        states = []
        try:
            while True:
                states.append(next(walk).clean)
        except StopIteration as stop:
            made.append(stop.value)
        assert {state.dtype for state in (*states, made[-1])} == {torch.float32}
        assert model.encode([Image.new("RGB", (64, 64))]).dtype == torch.float32
    assert float((made[0] - made[1]).norm() / made[0].norm()) < 0.05
