"""`LatentStore.compact`: small files become full ones, and no crash on the way loses a latent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from latmix.errors import StoreError
from latmix.store import shards
from latmix.store.latents import LatentStore
from latmix.store.upkeep import Freed
from tests.support.store import (
    KEYS,
    SETTINGS,
    SHAPE,
    assert_holds,
    fill,
    finish,
    strike,
    tree,
    verify,
)


@pytest.fixture(autouse=True)
def four_rows_a_file(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(shards, "ROWS", 4)
    yield


def compact(root: Path, *, dry_run: bool = False) -> Freed:
    return finish(LatentStore(root).compact(dry_run=dry_run))


def files(root: Path) -> list[Path]:
    return sorted(root.glob("latents/v1/*/shards/*"))


def test_small_files_become_full_ones_and_it_says_what_that_frees(tmp_path: Path) -> None:
    for key in KEYS:
        fill(tmp_path, [key])
    damaged = fill(tmp_path, KEYS[:2])
    damaged.write_bytes(damaged.read_bytes()[:-1])
    reader = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    before = tree(tmp_path)
    promised = compact(tmp_path, dry_run=True)
    assert tree(tmp_path) == before
    freed = compact(tmp_path)
    assert promised == freed
    assert freed.files == 7 - len(files(tmp_path)) == 5
    assert freed.bytes == sum(map(len, before.values())) - sum(map(len, tree(tmp_path).values()))
    assert verify(tmp_path).sound and verify(tmp_path).rows == 6
    assert_holds(reader, KEYS)
    assert_holds(LatentStore(tmp_path).open(SETTINGS, SHAPE), KEYS)
    after = tree(tmp_path)
    assert compact(tmp_path) == Freed(0, 0) and tree(tmp_path) == after


def test_what_is_full_or_alone_stays_and_nothing_gets_younger(tmp_path: Path) -> None:
    full, alone = fill(tmp_path, KEYS[:4]), fill(tmp_path, KEYS[4:5])
    before = tree(tmp_path)
    assert compact(tmp_path) == Freed(0, 0) and tree(tmp_path) == before
    other = fill(tmp_path, KEYS[5:])
    for age, path in enumerate((alone, other), start=1):
        os.utime(path, (0, 86400.0 * age))
    compact(tmp_path)
    (joined,) = set(files(tmp_path)) - {full}
    assert joined.stat().st_mtime == 2 * 86400.0
    assert_holds(LatentStore(tmp_path).open(SETTINGS, SHAPE), KEYS)


def test_a_crash_at_any_call_to_the_system_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    def die() -> None:
        raise Died

    step = 0
    while True:
        step += 1
        place = tmp_path / str(step)
        for key in KEYS:
            fill(place, [key])
        with monkeypatch.context() as patch:
            strike(step, die, patch.setattr)
            try:
                compact(place)
                break
            except Died:
                pass
        assert verify(place).sound
        assert_holds(LatentStore(place).open(SETTINGS, SHAPE), KEYS)
        compact(place)
        assert_holds(LatentStore(place).open(SETTINGS, SHAPE), KEYS)
        assert len(files(place)) == 2
    assert step > 6


def test_of_two_at_once_the_second_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, KEYS[:1])
    first = LatentStore(tmp_path).compact()
    next(first)
    with pytest.raises(StoreError, match="Another process"):
        compact(tmp_path)
    first.close()


def test_a_latent_that_was_checked_is_checked_again_once_its_file_was_written_to(
    tmp_path: Path,
) -> None:
    path = fill(tmp_path, KEYS[:3])
    os.utime(path, (0, 0))
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    assert_holds(space, KEYS[:3])
    assert_holds(space, KEYS[:3])
    blob = bytearray(path.read_bytes())
    blob[-1] ^= 1
    path.write_bytes(blob)
    assert space.missing(KEYS[:3]) == [2]
