"""Several processes write, prune and die, and nothing flushed is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from latmix.store import folders
from latmix.store.latents import LatentStore
from latmix.store.shards import Shard, scan_shard
from tests.support.store import KEYS, SETTINGS, SHAPE, assert_holds, fill, latent_of, prune
from tests.support.store_children import (
    Child,
    die_at_every_step,
    interrupt_writer,
    kill_writers,
    prune_among_writers,
)


def test_what_another_process_wrote_is_seen_after_a_refresh_that_reads_new_files_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, KEYS[:3])
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    new = fill(tmp_path, KEYS[2:])
    assert space.missing(KEYS) == [3, 4, 5]
    scanned: list[Path] = []

    def watched(path: Path, space: str) -> Shard:
        scanned.append(path)
        return scan_shard(path, space)

    monkeypatch.setattr(folders, "scan_shard", watched)
    space.refresh()
    space.refresh()
    assert scanned == [new]
    assert_holds(space, KEYS)


def test_rows_that_another_process_moved_by_pruning_are_found_again(tmp_path: Path) -> None:
    first, second = sorted([fill(tmp_path, KEYS[:4]), fill(tmp_path, KEYS[2:])])
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    prune(tmp_path)
    assert first.exists() and not second.exists()
    assert_holds(space, KEYS)
    prune(tmp_path, space=space.id)
    assert space.missing(KEYS) == list(range(6))
    with pytest.raises(KeyError):
        space.read(KEYS[:1])


def test_writers_killed_at_any_instant_lose_only_what_was_not_flushed(
    tmp_path: Path, child: Child
) -> None:
    flushed, stored = child(kill_writers, str(tmp_path), 5)
    assert flushed > 0 and stored >= flushed


def test_pruning_while_others_write_and_read_loses_nothing(tmp_path: Path, child: Child) -> None:
    assert child(prune_among_writers, str(tmp_path)) > 0


def test_a_writer_may_die_at_any_step(tmp_path: Path, child: Child) -> None:
    assert child(die_at_every_step, str(tmp_path)) > 8


def test_an_interrupt_keeps_what_was_added(tmp_path: Path, child: Child) -> None:
    assert child(interrupt_writer, str(tmp_path)) == 130
    assert_holds(LatentStore(tmp_path).open(SETTINGS, SHAPE), KEYS)


def test_an_exception_keeps_what_was_added_and_goes_on(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), LatentStore(tmp_path).open(SETTINGS, SHAPE) as space:
        space.add(KEYS[0], latent_of(KEYS[0]))
        raise ZeroDivisionError
    assert_holds(LatentStore(tmp_path).open(SETTINGS, SHAPE), KEYS[:1])
