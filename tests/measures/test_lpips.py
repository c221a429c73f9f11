"""LPIPS against the published layers in float64, and what can be wrong with its files."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from latmix.errors import LatmixError
from latmix.measures.lpips import load_lpips
from tests.support.command import QUICK, answer, cli, refused

CHANNELS = (64, 192, 384, 256, 256)


def trunk() -> nn.Sequential:
    """AlexNet's convolutions, as its file numbers them."""
    torch.manual_seed(5)
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU()),
    ).requires_grad_(False)


def fitted() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(6)
    return [torch.rand(1, count, 1, 1, generator=generator) for count in CHANNELS]


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like that of torchvision, with the classifier that LPIPS has no use for."""
    file = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    content = {f"features.{name}": value for name, value in trunk().state_dict().items()}
    torch.save(content | {"classifier.6.bias": torch.zeros(1000)}, file)
    return file


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package lpips, as far as it is read."""
    folder = tmp_path / "site" / "lpips" / "weights" / "v0.1"
    folder.mkdir(parents=True)
    torch.save(
        {f"lin{index}.model.1.weight": value for index, value in enumerate(fitted())},
        folder / "alex.pth",
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    return folder


def expected(one: Image.Image, other: Image.Image) -> float:
    shift = torch.tensor([-0.030, -0.088, -0.188], dtype=torch.float64)
    scale = torch.tensor([0.458, 0.448, 0.450], dtype=torch.float64)
    states = []
    for picture in (one, other):
        levels = torch.from_numpy(np.asarray(picture).reshape(-1, 3) / 127.5 - 1)
        rows = ((levels - shift) / scale).reshape(picture.height, picture.width, 3)
        states.append(rows.permute(2, 0, 1)[None])
    total, weights, seen = 0.0, fitted(), 0
    for module in trunk().double():
        states = [module(state) for state in states]
        if isinstance(module, nn.ReLU):
            first, second = (state / state.square().sum(1, keepdim=True).sqrt() for state in states)
            weighted = (first - second).square() * weights[seen].double()
            total += float(weighted.sum(dim=1).mean())
            seen += 1
    return total


@pytest.mark.parametrize("size", [(31, 31), (64, 64), (40, 72)])
def test_it_is_the_distance_of_the_published_layers(
    alexnet: Path, package: Path, faces: list[Path], size: tuple[int, int]
) -> None:
    one, other = (Image.open(face).convert("RGB").resize(size) for face in faces[:2])
    lpips = load_lpips(size, alexnet)
    assert lpips(one, other) == pytest.approx(expected(one, other), rel=1e-4)
    assert lpips(one, other) == pytest.approx(lpips(other, one), rel=1e-5)
    assert lpips(one, one) == 0
    assert 0 < lpips(one, Image.blend(one, other, 0.2)) < lpips(one, other)


def test_invert_reports_it_beside_the_others(folder: Path, alexnet: Path, package: Path) -> None:
    words = ["invert", folder, "-n", "2", *QUICK, "--lpips", alexnet]
    found = answer(cli(*words, "--json"))
    assert set(found["lpips"]) == {"vae", "picture", "reconstruction"}
    values = [image["lpips"]["vae"] for image in found["images"]]
    assert min(values) > 0
    assert found["lpips"]["vae"] == pytest.approx(sum(values) / 2)
    assert cli(*words).stdout.count("LPIPS") == 3
    assert "lpips" not in answer(cli(*words[:-2], "--report", "--json"))


def test_what_is_missing_is_named(
    folder: Path, alexnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = cli("invert", folder, *QUICK, "--lpips", tmp_path / "no.pth")
    refused(missing, 1, "alexnet-owt-7be5be79.pth")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LatmixError, match="package lpips") as told:
        load_lpips((64, 64), alexnet)
    assert "latmix[eval]" in str(told.value.hint)


class Harm:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("harm",)


@pytest.mark.parametrize(
    "content",
    [b"", b"no weights", pickle.dumps(Harm(), protocol=2)],
    ids=["nothing", "text", "code"],
)
def test_a_file_of_something_else_is_refused_and_no_code_is_run(
    package: Path, tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "odd.pth"
    file.write_bytes(content)
    with pytest.raises(LatmixError, match=r"odd\.pth does not hold the weights"):
        load_lpips((64, 64), file)
    assert not (tmp_path / "harm").exists()


def test_pictures_too_small_for_it_are_a_sentence_before_any_work(
    folder: Path, alexnet: Path, package: Path, own_home: Path
) -> None:
    small = ["invert", folder, "--steps", "2", "--size", "24x40", "--lpips", alexnet]
    refused(cli(*small), 1, "24 x 40")
    assert not list(own_home.glob("latents"))


def test_fitted_weights_that_are_damaged_name_their_package(alexnet: Path, package: Path) -> None:
    (package / "alex.pth").write_bytes(b"")
    with pytest.raises(LatmixError, match="does not hold the weights") as told:
        load_lpips((64, 64), alexnet)
    assert "package lpips" in told.value.hint
