"""A recorded network does what the network does, to the bit."""

from __future__ import annotations

import pytest
import torch

from latmix.jobs.speed import call_operations
from latmix.models import recorded
from latmix.models.loading import load_model
from latmix.models.protocol import Model


@pytest.fixture(scope="module")
def quick() -> Model:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATMIX_RECORD_AFTER", "1")
        return load_model("mini", device="cpu")


@pytest.fixture(scope="module")
def plain() -> Model:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATMIX_RECORD_AFTER", "0")
        return load_model("mini", device="cpu")


def test_it_is_the_network_for_every_batch_time_and_size(quick: Model, plain: Model) -> None:
    channels = plain.source.channels
    for batch, time, sides in (
        (2, 981.0, (16, 16)),
        (2, 981.0, (16, 16)),
        (1, 1.0, (16, 16)),
        (5, 20.5, (16, 16)),
        (1, 500.0, (8, 20)),
        (3, 501.0, (8, 20)),
        (1, 3.0, (10, 14)),  # sides that do not halve twice take another way
        (2, 4.0, (10, 14)),
    ):
        state = torch.randn(batch, channels, *sides, generator=torch.Generator().manual_seed(0))
        told = plain.condition([f"an emoji of number {index}" for index in range(batch)])
        assert torch.equal(quick.predict(state, time, told), plain.predict(state, time, told))
    assert call_operations(quick, (128, 128)) == call_operations(plain, (128, 128))


def test_a_gradient_is_still_to_be_had(quick: Model, plain: Model) -> None:
    state = torch.randn(1, plain.source.channels, 16, 16)
    slopes = []
    for model in (quick, quick, plain):
        told = model.condition(["a"])
        text = told.tensors["text"].clone().requires_grad_(True)
        output = model.predict(state, 500.0, type(told)({**told.tensors, "text": text}))
        slopes.append(torch.autograd.grad(output.square().sum(), text)[0])
    assert torch.equal(slopes[1], slopes[2]) and bool(slopes[0].abs().max() > 0)


def test_without_a_recorder_a_model_goes_on_and_says_so_once(
    plain: Model, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LATMIX_RECORD_AFTER", "1")
    monkeypatch.delattr(torch.jit, "trace")
    model = load_model("mini", device="cpu")
    told = plain.condition(["an emoji"])
    for sides in ((16, 16), (16, 16), (16, 16), (8, 20), (8, 20)):
        state = torch.randn(1, plain.source.channels, *sides)
        assert torch.equal(model.predict(state, 500.0, told), plain.predict(state, 500.0, told))
    assert [record.message for record in caplog.records] == [
        "networks run unrecorded: module 'torch.jit' has no attribute 'trace'"
    ]


def test_how_often_it_is_called_before_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, count in (("7", 7), ("0", 0), ("", recorded.CALLS), ("soon", recorded.CALLS)):
        monkeypatch.setenv("LATMIX_RECORD_AFTER", text)
        assert recorded.calls_before_recording() == count


def test_large_networks_and_those_elsewhere_are_left_alone() -> None:
    small, cpu = torch.nn.Linear(2, 2), torch.device("cpu")
    assert recorded.is_worth_recording(small, cpu, "none")
    assert not recorded.is_worth_recording(small, cpu, "model")
    assert not recorded.is_worth_recording(small, torch.device("meta"), "none")
    with torch.device("meta"):
        large = torch.nn.Linear(8000, 8000)
    assert not recorded.is_worth_recording(large, cpu, "none")
