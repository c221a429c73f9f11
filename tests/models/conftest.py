"""Tiny pipelines on the disk, each built once a session and not to be changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.support import tiny


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny pipeline by its name in `tiny.BUILDERS`."""
    built: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in built:
            built[name] = tmp_path_factory.mktemp("tiny") / name
            torch.manual_seed(1)
            tiny.BUILDERS[name](built[name])
        return built[name]

    return folder
