"""Tiny autoencoders for previews, of random weights, saved to disk and found there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import ImageChops

from latmix.config import load_config
from latmix.errors import ModelError
from latmix.jobs.screen.studio import Studio
from latmix.models.catalogue import TINY
from latmix.models.families import FAMILIES
from latmix.models.pixels import to_pictures
from latmix.models.protocol import Model
from latmix.models.tiny_autoencoder import find_tiny, tiny_for
from latmix.sampling.generators import drained
from latmix.sampling.preview import Preview
from latmix.session.machine import Machine


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """As small as can be, for the built-in model's latents: 4 channels, 4 pixels a cell."""
    from diffusers import AutoencoderTiny

    torch.manual_seed(0)
    network = AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
    )
    network.save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


def test_previews_are_those_of_the_tiny_autoencoder(mini: Model, tiny: Path) -> None:
    from diffusers import AutoencoderTiny

    clean = torch.randn(4, 16, 16)
    source = find_tiny(str(tiny), mini.source)
    preview = Preview(decoder=lambda: source.load(torch.device("cpu")))
    shown = preview.show(mini, clean)
    network = AutoencoderTiny.from_pretrained(tiny)
    with torch.no_grad():
        [expected] = to_pictures(network.decode(clean[None]).sample.clamp(-1, 1))
    assert shown.size == (64, 64)
    assert ImageChops.difference(shown, expected).getbbox() is None


def test_the_explorer_takes_the_one_of_the_settings(
    mini: Model, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = torch.randn(4, 16, 16)
    plain = drained(Studio(load_config(), "mini", Machine("cpu"))._made())
    assert plain.preview.show(mini, clean).tobytes() == mini.decode(clean[None])[0].tobytes()
    monkeypatch.setenv("LATMIX_PREVIEW_VAE", str(tiny))
    named = drained(Studio(load_config(), "mini", Machine("cpu"))._made())
    decoded = find_tiny(str(tiny), mini.source).load(torch.device("cpu"))(clean)
    assert named.preview.show(mini, clean).tobytes() == decoded.tobytes()


def test_what_cannot_be_used_is_a_sentence(mini: Model, tiny: Path, tmp_path: Path) -> None:
    for name in ("taesd", "nobody/nothing", str(tmp_path / "nowhere")):
        with pytest.raises(ModelError, match="not on this machine"):
            find_tiny(name, mini.source)
    assert tiny_for(mini.source) is None
    config = json.loads((tiny / "config.json").read_text())
    (tiny / "config.json").write_text(json.dumps(config | {"latent_channels": 16}))
    with pytest.raises(ModelError, match="16 channels and 4 pixels a cell; those of mini have 4"):
        find_tiny(str(tiny), mini.source)
    (tiny / "config.json").write_text(json.dumps(config))
    weights = tiny / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        find_tiny(str(tiny), mini.source).load(torch.device("cpu"))
    (tiny / "config.json").write_text(json.dumps(config | {"_class_name": "AutoencoderKL"}))
    with pytest.raises(ModelError, match="not a tiny autoencoder"):
        find_tiny(str(tiny), mini.source)


def test_each_family_of_the_catalogue_exists() -> None:
    assert {tiny.family for tiny in TINY} <= {family.pipeline for family in FAMILIES}
