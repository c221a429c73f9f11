"""What the tests share: the built-in model, loaded once, and a home of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# Torch's threads spin while they wait, and where tests run side by side that costs more than a
# second thread brings: one for this process and for those that tests start. Torch reads this.
os.environ["OMP_NUM_THREADS"] = "1"
# Many tests start programs of their own: none should compile torch's and diffusers' sources anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import pytest
from PIL import Image

from latmix import demo
from latmix.images import find_pictures
from latmix.models.loading import load_model
from latmix.models.protocol import Model


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, latents, results and session in a folder of the test's own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("LATMIX_HOME", str(home))
    monkeypatch.setenv("LATMIX_CONFIG", str(home / "config.toml"))
    monkeypatch.delenv("LATMIX_MODEL", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return home


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that is filled once."""
    return tmp_path_factory.mktemp("warm")


@pytest.fixture
def shared_home(own_home: Path, warm: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One home for all tests that ask for it, so that none inverts what another has."""
    monkeypatch.setenv("LATMIX_HOME", str(warm))
    return warm


@pytest.fixture
def cold_home(own_home: Path, shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own again, for a test that counts what is inverted."""
    monkeypatch.setenv("LATMIX_HOME", str(own_home))
    return own_home


@pytest.fixture(scope="session")
def mini() -> Iterator[Model]:
    """The built-in model."""
    yield load_model("mini", device="cpu")


@pytest.fixture(scope="session")
def faces() -> list[Path]:
    """The built-in pictures of faces."""
    return find_pictures([demo.folder("faces")])


@pytest.fixture
def folder(tmp_path: Path, faces: list[Path]) -> Path:
    """A folder of six small pictures."""
    place = tmp_path / "pictures"
    place.mkdir()
    for index, face in enumerate(faces[:6]):
        Image.open(face).save(place / f"face-{index}.png")
    return place
