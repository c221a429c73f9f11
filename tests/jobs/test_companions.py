"""Latents with companions, from the store to a picture: nothing is lost, nothing made twice."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import torch

from latmix.errors import StoreError
from latmix.jobs.inversion import Inversion, InversionRules, invert_pictures
from latmix.jobs.stored_mixtures import mix_companions, mix_stored
from latmix.jobs.workbench import Workbench
from latmix.mixing.companions import UNCONDITIONAL
from latmix.mixing.grid import parse_method
from latmix.models.protocol import Model
from latmix.sampling.generators import drained
from latmix.sampling.settings import InversionSettings
from latmix.session.machine import Machine
from latmix.store.companions import AccompaniedSpace
from latmix.store.latents import LatentStore

KEYS = [f"{number:032x}" for number in range(5)]
SHAPE, TEXT = (2, 3, 4), (6, 5, 8)


def opened(root: Path) -> AccompaniedSpace:
    return LatentStore(root).open({"steps": 6}, SHAPE, ["embedding"])


def filled(root: Path, keys: list[str] = KEYS) -> AccompaniedSpace:
    with opened(root) as space:
        for index, key in enumerate(keys):
            latent = torch.full(SHAPE, float(index))
            space.add(key, latent, {"embedding": torch.full(TEXT, 100.0 + index)})
    return space


def settings(guidance: float = 5.0, **others: Any) -> InversionSettings:
    return InversionSettings(
        (64, 64), steps=3, guidance=guidance, solver="null-text", inner_steps=1, **others
    )


def inverted(bench: Workbench, faces: list[Path], made: InversionSettings) -> Inversion:
    work: Generator[object, None, Inversion] = invert_pictures(
        bench, faces, made, "an emoji of a face", InversionRules(strict=True)
    )
    return drained(work)


def test_a_companion_is_kept_under_its_latents_key(tmp_path: Path) -> None:
    filled(tmp_path)
    space = opened(tmp_path)
    assert space.missing(KEYS) == []
    read = space.companion("embedding").read(KEYS[::-1])
    assert read.shape == (5, *TEXT)
    assert read[:, 0, 0, 0].tolist() == [104.0, 103.0, 102.0, 101.0, 100.0]


def test_threads_that_open_the_companions_at_once_share_them(tmp_path: Path) -> None:
    """Else what one of them has added would be lost with the other's."""
    filled(tmp_path)
    space, start = opened(tmp_path), Barrier(8)

    def look(_: int) -> AccompaniedSpace:
        start.wait()
        return space.companion("embedding")

    with ThreadPoolExecutor(8) as threads:
        found = set(map(id, threads.map(look, range(8))))
    assert len(found) == 1


def test_a_latent_without_its_companion_is_missing(tmp_path: Path) -> None:
    filled(tmp_path)
    shelf = opened(tmp_path).companion("embedding")
    list(LatentStore(tmp_path).prune(space=shelf.id))
    assert opened(tmp_path).missing(KEYS) == [0, 1, 2, 3, 4]
    filled(tmp_path, KEYS[:2])
    assert opened(tmp_path).missing(KEYS) == [2, 3, 4]


def test_a_damaged_companion_is_found(tmp_path: Path) -> None:
    filled(tmp_path)
    folder = tmp_path / "latents" / "v1" / opened(tmp_path).companion("embedding").id
    (path,) = folder.glob("shards/*")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    space = opened(tmp_path)
    assert space.missing(KEYS) == [4]
    with pytest.raises(StoreError, match="damaged"):
        space.companion("embedding").read(KEYS)


def test_a_latent_is_not_taken_without_its_companions(tmp_path: Path) -> None:
    with opened(tmp_path) as space, pytest.raises(ValueError, match="companions must be"):
        space.add(KEYS[0], torch.zeros(SHAPE))
    with opened(tmp_path) as space, pytest.raises(ValueError, match="finite"):
        space.add(KEYS[0], torch.zeros(SHAPE), {"embedding": torch.full(TEXT, torch.nan)})
    assert opened(tmp_path).missing(KEYS[:1]) == [0]


def test_what_another_process_adds_is_seen(tmp_path: Path) -> None:
    space = opened(tmp_path)
    assert space.missing(KEYS) == [0, 1, 2, 3, 4]
    filled(tmp_path, KEYS[:3])
    space.refresh()
    assert space.missing(KEYS) == [3, 4]
    filled(tmp_path)
    space.refresh()
    assert space.missing(KEYS) == []


def test_blocks_of_large_companions_are_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory does not grow with N: a block holds no more than so many bytes."""
    filled(tmp_path)
    monkeypatch.setattr("latmix.store.space.BLOCK_BYTES", 2 * 4 * 6 * 5 * 8)
    space = opened(tmp_path).companion("embedding")
    assert [len(block) for _, block in space.blocks(KEYS)] == [2, 2, 1]


def test_nothing_is_inverted_twice_and_guidance_is_part_of_the_key(
    mini: Model, faces: list[Path], tmp_path: Path
) -> None:
    bench = Workbench(mini.source, LatentStore(tmp_path), Machine("cpu"))
    bench._model = mini
    first = inverted(bench, faces[:2], settings())
    again = inverted(bench, faces[:2], settings())
    assert (first.inverted, again.inverted, again.cached) == (2, 0, 2)
    assert again.calls == 0
    other = bench.space(settings(guidance=3.0))
    assert other.missing(first.keys) == [0, 1]
    assert bench.space(settings(negative="blurred")).id != first.space.id
    text = again.read(again.rows).companions[UNCONDITIONAL]
    told = mini.condition([""]).tensors["text"]
    assert text.shape == (2, 3, *told.shape[1:])
    mixed = mix_stored(again, [[0.25, 0.75], [1.0, 0.0]], parse_method("nin/chm"))
    latents = mix_companions(again, mixed, range(1, 2))
    assert torch.equal(latents.companions[UNCONDITIONAL][0], text[0])
    latents = mix_companions(again, mixed, range(2))
    expected = 0.25 * text[0] + 0.75 * text[1]
    assert torch.allclose(latents.companions[UNCONDITIONAL][0], expected, atol=1e-6)
    assert torch.equal(latents.noise, mixed.latents)
