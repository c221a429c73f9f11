"""Stores for tests: filled with latents that anyone who knows the key can tell."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor

from latmix.errors import StoreError
from latmix.store.latents import LatentStore, row_key
from latmix.store.space import LatentSpace
from latmix.store.upkeep import VerifyReport

SETTINGS = {"model": "a model", "steps": 50}
SHAPE = (2, 3, 4)
KEYS = [row_key(str(index), "") for index in range(6)]

Result = TypeVar("Result")


def latent_of(key: str, shape: tuple[int, int, int] = SHAPE) -> Tensor:
    """A latent that anyone who knows the key can tell."""
    generator = torch.Generator().manual_seed(int(key[:12], 16))
    return torch.randn(shape, generator=generator)


def fill(root: Path, keys: list[str], shape: tuple[int, int, int] = SHAPE) -> Path:
    """Stores the latents of `keys` in one shard, and returns its path."""
    store = LatentStore(root)
    before = set(root.glob("latents/v1/*/shards/*"))
    with store.open(SETTINGS, shape) as space:
        for key in keys:
            space.add(key, latent_of(key, shape))
    (path,) = set(root.glob("latents/v1/*/shards/*")) - before
    return path


def finish(work: Generator[Any, None, Result]) -> Result:
    """The result of a generator that yields progress."""
    last = (0, 0)
    while True:
        try:
            last = next(work)
        except StopIteration as stop:
            assert last[0] == last[1]
            result: Result = stop.value
            return result


def prune(root: Path, **options: Any) -> int:
    return finish(LatentStore(root).prune(**options)).bytes


def verify(root: Path) -> VerifyReport:
    return finish(LatentStore(root).verify())


def tree(root: Path) -> dict[str, bytes]:
    """Every file under `root`, with its content."""
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def assert_holds(space: LatentSpace, keys: list[str]) -> None:
    assert space.missing(keys) == []
    for key, latent in zip(keys, space.read(keys), strict=True):
        assert torch.equal(latent, latent_of(key, space.shape))


def assert_tells_no_lies(space: LatentSpace, keys: list[str]) -> list[str]:
    """What is not missing is right, also its summary; returns what is missing."""
    exact = torch.stack([latent_of(key, space.shape) for key in keys]).double()
    for index, key in enumerate(keys):
        try:
            norm, mean = space.summary([key])
        except (KeyError, StoreError):
            continue
        assert torch.equal(norm[0], exact[index].square().sum())
        assert torch.equal(mean[0], exact[index].mean(dim=(1, 2)))
    lost = [keys[index] for index in space.missing(keys)]
    assert_holds(space, [key for key in keys if key not in lost])
    for key in lost:
        with pytest.raises((KeyError, StoreError)):
            space.read([key])
    return lost


def strike(
    step: int, action: Callable[[], object], patch: Callable[..., object]
) -> Callable[[], int]:
    """Has `action` happen in place of the n-th call that asks the system to write something.

    Returns what tells how many of these calls there have been.
    """
    calls, open_file = 0, os.open

    def struck(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            if real is open_file and arguments[1] & os.O_NONBLOCK:
                return real(*arguments, **named)  # to read
            calls += 1
            if calls == step:
                action()
            return real(*arguments, **named)

        return call

    for name in ("open", "mkdir", "fsync", "replace"):
        patch(os, name, struck(getattr(os, name)))
    return lambda: calls
