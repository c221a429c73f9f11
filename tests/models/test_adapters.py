"""LoRA adapters against W' = W + scale (alpha/r) B A written out, and what is refused."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import latmix
from latmix.errors import ModelError
from latmix.models.adapters import Adapter, split_adapters
from latmix.models.source import find_model
from tests.support.command import answer, cli

Folder = Callable[[str], Path]

RANK, ALPHA = 2, 1.0

# the part, a weight of it, and how kohya's trainer, or diffusers, names it
TARGETS = {
    "sd15": (
        ("unet", "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"),
        ("text_encoder", "encoder.layers.0.self_attn.q_proj"),
        ("text_encoder", "encoder.layers.0.self_attn.out_proj"),
    ),
    "sdxl": (("unet", "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"),),
    "sd3": (("transformer", "transformer_blocks.0.attn.to_q"),),
    "flux": (("transformer", "transformer_blocks.0.attn.to_q"),),
}


def write_lora(folder: Path, name: str, target: Path, scale: float) -> None:
    """Write a random LoRA for a tiny model, and beside it the folder with it added by hand."""
    found: dict[str, torch.Tensor] = {}
    merged = Path(shutil.copytree(folder, target / "merged"))
    generator = torch.Generator().manual_seed(0)
    for part, weight in TARGETS[name]:
        [path] = (merged / part).glob("*.safetensors")
        weights = load_file(path)
        [key] = [k for k in weights if k.removeprefix("text_model.") == f"{weight}.weight"]
        rows, columns = weights[key].shape
        down = torch.randn(RANK, columns, generator=generator)
        up = torch.randn(rows, RANK, generator=generator)
        weights[key] = weights[key] + scale * (ALPHA / RANK) * up @ down
        save_file(weights, path, {"format": "pt"})
        if name == "sd15":
            place = {"unet": "lora_unet_", "text_encoder": "lora_te_text_model_"}[part]
            long = place + weight.replace(".", "_")
            found[f"{long}.lora_down.weight"], found[f"{long}.lora_up.weight"] = down, up
            found[f"{long}.alpha"] = torch.tensor(ALPHA)
        else:
            found[f"{part}.{weight}.lora_A.weight"] = down
            found[f"{part}.{weight}.lora_B.weight"] = up * (ALPHA / RANK)
    save_file(found, target / "anna.safetensors")


@pytest.mark.parametrize("name", TARGETS)
def test_an_adapter_is_added_to_the_weights(name: str, tiny_folder: Folder, tmp_path: Path) -> None:
    write_lora(tiny_folder(name), name, tmp_path, 0.7)
    plain = latmix.load_model(str(tiny_folder(name)), device="cpu")
    adapted = latmix.load_model(f"{tiny_folder(name)}+{tmp_path}/anna.safetensors=0.7", "cpu")
    merged = latmix.load_model(str(tmp_path / "merged"), device="cpu")
    told = [model.condition(["a face"]).tensors["text"] for model in (plain, adapted, merged)]
    torch.testing.assert_close(told[1], told[2])
    assert torch.equal(told[0], told[1]) == (name != "sd15")
    state = torch.randn(1, plain.source.channels, 8, 8)
    outputs = [
        model.predict(state, 500.0, model.condition(["a face"]).with_guidance(3.5))
        for model in (plain, adapted, merged)
    ]
    torch.testing.assert_close(outputs[1], outputs[2], rtol=1e-4, atol=1e-5)
    assert float((outputs[1] - outputs[0]).abs().max()) > 1e-4


@pytest.fixture
def lora(tiny_folder: Folder, tmp_path: Path) -> Path:
    write_lora(tiny_folder("sd15"), "sd15", tmp_path, 1.0)
    return tmp_path / "anna.safetensors"


def test_an_adapter_and_its_scale_are_part_of_the_fingerprint(
    lora: Path, tiny_folder: Folder
) -> None:
    folder = str(tiny_folder("sd15"))
    names = (folder, f"{folder}+{lora}", f"{folder}+{lora}=0.5", f"{folder}+{lora}+{lora}")
    assert len({find_model(name).fingerprint for name in names}) == 4
    before = find_model(f"{folder}+{lora}").fingerprint
    content = bytearray(lora.read_bytes())
    content[-1] ^= 1
    lora.write_bytes(content)
    assert find_model(f"{folder}+{lora}").fingerprint != before


def test_names_are_split_at_their_adapters(lora: Path) -> None:
    plus = lora.rename(lora.with_name("anna+bea.safetensors"))
    assert split_adapters(f"sd15+{plus}=0.5") == ("sd15", (Adapter(plus, 0.5),))
    two = (Adapter(Path("x.safetensors"), 1.0), Adapter(Path("y.safetensors"), -2.0))
    assert split_adapters("a/b+x.safetensors+y.safetensors=-2") == ("a/b", two)
    assert split_adapters("x.safetensors@sd15") == ("x.safetensors@sd15", ())
    with pytest.raises(ModelError, match="no number"):
        split_adapters("sd15+x.safetensors=much")


def refused(name: str, *said: str, load: bool = False) -> None:
    with pytest.raises(ModelError) as error:
        latmix.load_model(name, device="cpu") if load else find_model(name)
    assert error.value.hint
    for words in said:
        assert words in str(error.value)


def test_files_that_cannot_be_added_are_refused(
    lora: Path, tiny_folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sd15, sd3, ddpm = (str(tiny_folder(name)) for name in ("sd15", "sd3", "ddpm"))
    refused(f"{sd15}+{tmp_path}/none.safetensors", "There is no file")
    [weights] = tiny_folder("sd15").glob("vae/*.safetensors")
    refused(f"{sd15}+{weights}", "is not a LoRA")
    refused(f"{ddpm}+{lora}", "take no LoRA")
    refused(f"{sd3}+{lora}", "LoRA", "anna.safetensors", "made for", load=True)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "peft" else found(name)
    )
    refused(f"{sd15}+{lora}", "need the package peft", "pip install 'latmix[lora]'")


def test_a_result_with_an_adapter_is_made_again(
    lora: Path, tiny_folder: Folder, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    words = ["--model", tiny_folder("sd15"), "--lora", f"{lora}=0.5", "--steps", "2"]
    made = answer(
        cli("centroid", folder, "-n", "2", *words, "--device", "cpu", "--json", "-o", out)
    )
    assert made["model"].endswith("anna.safetensors=0.5")
    again = cli("replay", out, folder, "--device", "cpu", "-o", tmp_path / "again.png")
    assert "The same picture" in again.stderr
    assert "other weights" not in again.stderr
