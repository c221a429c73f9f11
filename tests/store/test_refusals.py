"""A disk that refuses: earlier rows stay, and the message says what to do."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path

import pytest
import torch

from latmix.errors import StoreError
from latmix.store.folders import SpaceFolder
from latmix.store.latents import LatentStore, space_id
from latmix.store.space import LatentSpace
from tests.support.store import KEYS, SETTINGS, SHAPE, assert_holds, fill, latent_of, strike, tree
from tests.support.store_children import Child, fill_up_the_disk, refuse, write_without_permission


def test_a_full_disk_loses_nothing_and_says_what_to_do(tmp_path: Path, child: Child) -> None:
    message, hint = child(fill_up_the_disk, str(tmp_path))
    assert "file this large" in message and "needed" in message and "ulimit" in hint


def test_a_read_only_folder_can_be_read_and_says_what_to_do(tmp_path: Path, child: Child) -> None:
    fill(tmp_path, KEYS[:2])
    paths = [tmp_path, *tmp_path.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = tree(tmp_path)
    message, hint = child(write_without_permission, str(tmp_path))
    assert "may not" in message and "permissions" in hint
    assert tree(tmp_path) == before
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "is full: .* needed, .* free"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "may not"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_whatever_step_the_system_refuses_earlier_rows_stay_and_later_ones_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    fill(tmp_path, KEYS[:2])
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    step, reached = 0, True
    while reached:
        step += 1
        space.add(KEYS[2], latent_of(KEYS[2]))
        with monkeypatch.context() as patch:
            done = strike(step, lambda: refuse(number), patch.setattr)
            try:
                space.flush()
            except StoreError as error:
                assert re.search(words, error.message) and error.hint
            reached = done() >= step
        assert not list(tmp_path.glob("latents/v1/*/tmp/*"))
        assert_holds(space, KEYS[:3])
        assert_holds(LatentStore(tmp_path).open(SETTINGS, SHAPE), KEYS[:2])
    assert step > 5
    assert_holds(LatentStore(tmp_path).open(SETTINGS, SHAPE), KEYS[:3])


def test_what_ends_the_body_is_not_hidden_by_a_disk_that_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as caught, space:
        space.add(KEYS[0], latent_of(KEYS[0]))
        strike(1, lambda: refuse(errno.ENOSPC), patch.setattr)
        raise KeyboardInterrupt
    (note,) = caught.value.__notes__
    assert note.startswith("1 latents were not kept. The disk of")
    assert_holds(space, KEYS[:1])


def test_after_a_refusal_the_next_try_waits_for_30_seconds_or_a_flush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    folder = SpaceFolder(tmp_path / "latents" / "v1" / space_id(SETTINGS))
    space = LatentSpace(folder, SETTINGS, SHAPE, clock=lambda: now)
    for index in range(255):
        space.add(f"{index}", torch.zeros(SHAPE))
    with monkeypatch.context() as patch, pytest.raises(StoreError):
        strike(1, lambda: refuse(errno.ENOSPC), patch.setattr)
        space.add("255", torch.zeros(SHAPE))
    for index in range(256, 300):
        space.add(f"{index}", torch.zeros(SHAPE))
    assert LatentStore(tmp_path).spaces() == []
    now = 31.0
    space.add("300", torch.zeros(SHAPE))
    assert LatentStore(tmp_path).spaces()[0].rows == 301


def test_files_get_the_mode_that_the_umask_asks_for(tmp_path: Path) -> None:
    for mask, mode in ((0o002, 0o664), (0o077, 0o600)):
        before = os.umask(mask)
        try:
            shard = fill(tmp_path / str(mask), KEYS[:1])
        finally:
            os.umask(before)
        for path in (shard, shard.parents[1] / "space.json"):
            assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_file_where_a_folder_must_be_is_explained(tmp_path: Path) -> None:
    (tmp_path / "latents").write_text("")
    with pytest.raises(StoreError, match=r"latents.*Not a directory"):
        LatentStore(tmp_path).open(SETTINGS, SHAPE)
