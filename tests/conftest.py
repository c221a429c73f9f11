"""What the tests share: the built-in model, loaded once, and a home of their own."""

from __future__ import annotations

import functools
import os
from pathlib import Path

# Torch's threads spin while they wait, and where tests run side by side that costs more than a
# second thread brings: one for this process and for those that tests start. Torch reads this.
os.environ["OMP_NUM_THREADS"] = "1"
# Many tests start programs of their own: none should compile torch's and diffusers' sources anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# No test runs so long that recording a network pays; those of recording itself ask for it, and
# tests/test_as_shipped.py runs what users run.
os.environ["LATMIX_RECORD_AFTER"] = "0"

import pytest
from PIL import Image

from latmix import demo
from latmix.images.folders import find_pictures
from latmix.models.loading import load_model
from latmix.models.protocol import Model
from latmix.models.source import ModelSource
from latmix.store.reading import ShardReader

BUILT_IN = ("mini", "mini-flow")


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


loaded_once = functools.cache(load_model)


def load_shared(source: ModelSource, *how: str) -> Model:
    """As `load_model`, but the built-in models are loaded once in all tests."""
    return loaded_once(source.name, *how) if source.name in BUILT_IN else load_model(source, *how)


@pytest.fixture(autouse=True)
def shared_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latmix.jobs.workbench.load_model", load_shared)


@pytest.fixture(scope="session")
def mini() -> Model:
    """The built-in model."""
    return loaded_once("mini", "cpu", "float32", "none")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """The rows of stored files as they are read, those together that are read at once."""
    found: list[range] = []
    latents = ShardReader.latents

    def watched(reader: ShardReader, rows: range, into: memoryview) -> list[int]:
        found.append(rows)
        return latents(reader, rows, into)

    monkeypatch.setattr(ShardReader, "latents", watched)
    return found


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
