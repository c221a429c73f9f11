"""Verifying and pruning a store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from latmix.errors import StoreError
from latmix.store.folders import SpaceFolder
from latmix.store.latents import LatentStore, space_id
from latmix.store.upkeep import DamagedRow
from tests.support.store import KEYS, SETTINGS, SHAPE, assert_holds, fill, prune, tree, verify


def test_verify_names_each_damaged_row(tmp_path: Path) -> None:
    flipped, cut = fill(tmp_path, KEYS[:3]), fill(tmp_path, KEYS[3:])
    blob = bytearray(flipped.read_bytes())
    blob[-1] ^= 64
    flipped.write_bytes(blob)
    os.truncate(cut, cut.stat().st_size - 97)
    report = verify(tmp_path)
    assert report.rows == 3 and not report.unreadable and not report.sound
    assert set(report.damaged) == {
        DamagedRow(space_id(SETTINGS), flipped.name, KEYS[2]),
        DamagedRow(space_id(SETTINGS), cut.name, KEYS[4]),
        DamagedRow(space_id(SETTINGS), cut.name, KEYS[5]),
    }


def test_prune_keeps_one_sound_copy_of_each_row_and_says_what_it_freed(tmp_path: Path) -> None:
    for keys in (KEYS[:4], KEYS[2:5], KEYS[1:3]):
        fill(tmp_path, keys)
    damaged = fill(tmp_path, KEYS[4:])
    blob = bytearray(damaged.read_bytes())
    blob[-1] ^= 1  # KEYS[5], of which there is no other copy
    damaged.write_bytes(blob)
    leftovers = [damaged.parents[1] / "tmp" / f"{index}.part" for index in range(2)]
    for path in leftovers:
        path.write_bytes(b"12345")
    os.utime(leftovers[0], (0, 0))
    before = tree(tmp_path)
    promised = prune(tmp_path, dry_run=True)
    assert tree(tmp_path) == before
    freed = prune(tmp_path)
    size = sum(map(len, before.values())) - sum(map(len, tree(tmp_path).values()))
    assert promised == freed == size > 0
    assert [path.exists() for path in leftovers] == [False, True]
    report = verify(tmp_path)
    assert report.sound and report.rows == 5
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    assert_holds(space, KEYS[:5])
    assert space.missing(KEYS) == [5]
    assert prune(tmp_path) == 0


def test_prune_removes_what_is_older_and_pruning_makes_nothing_younger(tmp_path: Path) -> None:
    first, second = sorted([fill(tmp_path, KEYS[:2]), fill(tmp_path, KEYS[1:3])])
    third = fill(tmp_path, KEYS[3:])
    day = 86400.0
    for path, age in ((first, 1), (second, 10), (third, 1)):
        os.utime(path, (third.stat().st_atime, third.stat().st_mtime - age * day))
    prune(tmp_path)
    assert not second.exists()
    assert prune(tmp_path, older_than_days=20) == 0
    assert prune(tmp_path, older_than_days=5, space="0" * 16) == 0
    assert prune(tmp_path, older_than_days=5) > 0
    assert len(LatentStore(tmp_path).open(SETTINGS, SHAPE).missing(KEYS)) == 1
    for options in ({"older_than_days": -1.0}, {"older_than_days": float("nan")}, {"space": ".."}):
        with pytest.raises(ValueError, match=next(iter(options))):
            LatentStore(tmp_path).prune(**options)


def test_prune_removes_a_space_but_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    outside = fill(elsewhere, KEYS[:2])
    mine = fill(root, KEYS)
    space = mine.parents[1]
    linked = space.parent / ("f" * 16)
    linked.symlink_to(outside.parents[1])
    (mine.parent / f"{7:032x}.safetensors").symlink_to(outside)
    (space / "notes.txt").write_text("mine")
    assert [info.id for info in LatentStore(root).spaces()] == [space.name]
    before = tree(elsewhere)
    for options in ({"space": linked.name}, {"older_than_days": 0.0, "space": linked.name}):
        assert prune(root, **options) == 0
    prune(root, space=space.name)
    assert tree(elsewhere) == before and (space / "notes.txt").read_text() == "mine"
    assert not mine.exists() and not (space / "space.json").exists()
    for name in ("shards", "tmp"):  # nor through a folder of a space that is a link
        part = SpaceFolder(root / "latents" / "v1" / ("e" * 16)).path / name
        part.parent.mkdir(exist_ok=True)
        part.symlink_to(outside.parent)
        prune(root, space="e" * 16)
        part.unlink()
    assert tree(elsewhere) == before


def test_of_two_prunes_at_once_the_second_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, KEYS)
    first = LatentStore(tmp_path).prune()
    next(first)
    with pytest.raises(StoreError, match="Another process"):
        prune(tmp_path)
    first.close()
    prune(tmp_path)
