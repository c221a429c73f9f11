"""The published architectures at full size, on the meta device: parameters and cost of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from latmix.models.parts import import_class
from tests.support.tiny import FULL_SIZE

# the class, and its parameters
COUNTS = {
    "SD15_UNET": ("UNet2DConditionModel", 859_520_964),
    "SD15_VAE": ("AutoencoderKL", 83_653_863),
    "SDXL_UNET": ("UNet2DConditionModel", 2_567_463_684),
    "SD3_VAE": ("AutoencoderKL", 83_819_683),
    "SD3M_TRANSFORMER": ("SD3Transformer2DModel", 2_028_328_000),
    "SD35M_TRANSFORMER": ("SD3Transformer2DModel", 2_243_171_520),
    "SD35L_TRANSFORMER": ("SD3Transformer2DModel", 8_056_627_520),
    "FLUX_DEV": ("FluxTransformer2DModel", 11_901_408_320),
    "CLIP_L_TEXT": ("CLIPTextModel", 123_060_480),
    "CLIP_G_TEXT": ("CLIPTextModelWithProjection", 694_659_840),
    "T5_XXL": ("T5EncoderModel", 4_762_310_656),
}


def network(name: str) -> Any:
    """A network without weights."""
    kind = COUNTS[name][0]
    found = import_class(kind)
    with torch.device("meta"):
        if hasattr(found, "config_class") and found.config_class is not None:
            return found(found.config_class(**FULL_SIZE[name]))
        return found(**FULL_SIZE[name])


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_are_the_published_ones(name: str) -> None:
    assert sum(p.numel() for p in network(name).parameters()) == COUNTS[name][1]


@pytest.mark.parametrize(
    ("names", "gigabytes"),
    [
        (("SD15_UNET", "SD15_VAE", "CLIP_L_TEXT"), 2.13),
        (("SD35M_TRANSFORMER", "SD3_VAE", "CLIP_L_TEXT", "CLIP_G_TEXT", "T5_XXL"), 15.81),
    ],
    ids=["SD 1.5", "SD 3.5 medium"],
)
def test_half_precision_weights_leave_room_on_24_gigabytes(
    names: tuple[str, ...], gigabytes: float
) -> None:
    """The paper's GPU; states and activations take the rest, and `--offload` makes more."""
    numbers = sum(p.numel() for name in names for p in network(name).half().parameters())
    assert 2 * numbers / 1e9 == pytest.approx(gigabytes, abs=0.01)
    assert gigabytes < 0.7 * 24


def unet(run: Any) -> Any:
    return run(meta(1, 4, 64, 64), 500, encoder_hidden_states=meta(1, 77, 768))


def transformer(run: Any) -> Any:
    return run(
        hidden_states=meta(1, 16, 128, 128),
        timestep=meta(1),
        encoder_hidden_states=meta(1, 333, 4096),
        pooled_projections=meta(1, 2048),
    )


def decode(side: int, channels: int) -> Callable[[Any], Any]:
    return lambda run: run.decode(meta(1, channels, side // 8, side // 8))


def encode(side: int) -> Callable[[Any], Any]:
    return lambda run: run.encode(meta(1, 3, side, side))


def meta(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


@pytest.mark.parametrize(
    ("name", "call", "expected"),
    [
        ("SD15_UNET", unet, 0.8033),
        ("SD15_VAE", encode(512), 1.117),
        ("SD15_VAE", decode(512, 4), 2.515),
        ("SD35M_TRANSFORMER", transformer, 11.25),
        ("SD3_VAE", decode(1024, 16), 10.47),
    ],
)
def test_a_call_costs_what_was_measured(
    name: str, call: Callable[[Any], Any], expected: float
) -> None:
    """In TFLOP, two for a multiplication and an addition."""
    with FlopCounterMode(display=False) as counted, torch.no_grad():
        call(network(name))
    assert counted.get_total_flops() / 1e12 == pytest.approx(expected, rel=2e-3)
