"""No damage to a file yields a wrong latent."""

from __future__ import annotations

import errno
import json
import math
import os
import struct
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latmix.errors import StoreError
from latmix.store.latents import LatentStore, space_id
from latmix.store.reading import ShardReader
from latmix.store.upkeep import DamagedRow
from tests.support.store import (
    KEYS,
    SETTINGS,
    SHAPE,
    assert_holds,
    assert_tells_no_lies,
    fill,
    latent_of,
    prune,
    verify,
)
from tests.support.store_children import refuse


@pytest.fixture(scope="module")
def shard_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return fill(tmp_path_factory.mktemp("shard"), KEYS[:3]).read_bytes()


def check_damaged(blob: bytes | bytearray, *, repair: bool) -> list[str]:
    """Reads a store whose one shard is `blob`; what is lost, which is then mended."""
    with tempfile.TemporaryDirectory() as folder:
        shards = Path(folder) / "latents" / "v1" / space_id(SETTINGS) / "shards"
        shards.mkdir(parents=True)
        (shards / f"{0:032x}.safetensors").write_bytes(blob)
        store = LatentStore(Path(folder))
        lost = assert_tells_no_lies(store.open(SETTINGS, SHAPE), KEYS[:3])
        if repair:
            with store.open(SETTINGS, SHAPE) as space:
                for index in space.missing(KEYS[:3]):
                    space.add(KEYS[index], latent_of(KEYS[index]))
                assert_holds(space, KEYS[:3])
            assert_holds(store.open(SETTINGS, SHAPE), KEYS[:3])
        return lost


@settings(max_examples=150, deadline=None)
@given(choice=st.data())
def test_no_flipped_bit_yields_a_wrong_latent(shard_bytes: bytes, choice: st.DataObject) -> None:
    bit = choice.draw(st.integers(0, 8 * len(shard_bytes) - 1))
    blob = bytearray(shard_bytes)
    blob[bit // 8] ^= 1 << bit % 8
    lost = check_damaged(blob, repair=bit % 4 == 0)
    base = 8 + struct.unpack("<Q", shard_bytes[:8])[0]
    if bit >= 8 * base:
        assert len(lost) == 1


@settings(max_examples=60, deadline=None)
@given(choice=st.data())
def test_no_cut_yields_a_wrong_latent(shard_bytes: bytes, choice: st.DataObject) -> None:
    length = choice.draw(st.integers(0, len(shard_bytes) - 1))
    lost = check_damaged(shard_bytes[:length], repair=length % 4 == 0)
    rows_cut = -(-(len(shard_bytes) - length) // (2 * 3 * 4 * 4))
    assert lost == KEYS[3 - min(3, rows_cut) : 3]


def test_every_bit_of_the_header_may_flip(shard_bytes: bytes, tmp_path: Path) -> None:
    base = 8 + struct.unpack("<Q", shard_bytes[:8])[0]
    path = fill(tmp_path, KEYS[:3])
    for bit in range(0, 8 * base, 3):
        blob = bytearray(shard_bytes)
        blob[bit // 8] ^= 1 << bit % 8
        path.write_bytes(blob)
        space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
        good = [key for key in KEYS[:3] if key in space and not space.missing([key])]
        if good:
            assert_holds(space, good)


def test_a_file_cut_short_while_it_is_in_use_is_noticed(tmp_path: Path) -> None:
    shard = fill(tmp_path, KEYS)
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    os.truncate(shard, shard.stat().st_size - 100)
    with pytest.raises(StoreError, match="damaged") as caught:
        space.read(KEYS)
    assert caught.value.hint
    assert space.missing(KEYS) == [4, 5]
    with pytest.raises(StoreError, match="damaged"):  # it is not forgotten that it was there
        space.read(KEYS[4:])


def test_a_file_cut_short_before_it_is_opened_gives_the_rows_that_lie_in_it(tmp_path: Path) -> None:
    shard = fill(tmp_path, KEYS)
    os.truncate(shard, shard.stat().st_size - 100)
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    assert [key in space for key in KEYS] == [True] * 4 + [False] * 2
    assert_holds(space, KEYS[:4])
    with pytest.raises(KeyError):
        space.read(KEYS[4:])


def test_a_header_that_claims_more_than_the_file_holds_costs_no_memory(tmp_path: Path) -> None:
    shard = fill(tmp_path, KEYS)
    blob = shard.read_bytes()
    base = 8 + struct.unpack("<Q", blob[:8])[0]
    header = json.loads(blob[8:base])
    keys = ["k"] * 1000
    means = [8000, 8000 + 8 * 1000 * 10**9]
    for name in ("keys", "summary_checksums", "checksums"):
        header["__metadata__"][name] = json.dumps(keys)
    header["squared_norm"] = {"dtype": "F64", "shape": [1000], "data_offsets": [0, 8000]}
    header["channel_mean"] = {"dtype": "F64", "shape": [1000, 10**9], "data_offsets": means}
    latents = {"dtype": "F32", "shape": [1000, 10**9, 1, 1], "data_offsets": None}
    latents["data_offsets"] = [means[1], means[1] + 4 * 10**12]
    header["latents"] = latents
    text = json.dumps(header).encode()
    shard.write_bytes(struct.pack("<Q", len(text)) + text + blob[base:])
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    assert "k" not in space and space.missing(KEYS) == list(range(6))
    assert verify(tmp_path).rows == 0 and prune(tmp_path) > 0


def test_what_the_system_cannot_read_now_is_not_trusted_and_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = fill(tmp_path, KEYS)
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    with monkeypatch.context() as patch:
        patch.setattr(ShardReader, "latents", lambda reader, rows, into: refuse(errno.EIO))
        assert space.missing(KEYS) == list(range(6))
        report = verify(tmp_path)
        assert report.rows == 0 and not report.damaged
        assert [file.path for file in report.unreadable] == [shard]
        assert prune(tmp_path) == 0
    assert_holds(LatentStore(tmp_path).open(SETTINGS, SHAPE), KEYS)


def test_of_two_copies_the_sound_one_is_read(tmp_path: Path) -> None:
    for damaged in (0, 1):
        root = tmp_path / str(damaged)
        copies = sorted([fill(root, KEYS), fill(root, KEYS)])
        blob = bytearray(copies[damaged].read_bytes())
        blob[-1] ^= 1
        copies[damaged].write_bytes(blob)
        assert_holds(LatentStore(root).open(SETTINGS, SHAPE), KEYS)
        assert verify(root).damaged == (
            DamagedRow(space_id(SETTINGS), copies[damaged].name, KEYS[5]),
        )


def foreign(shards: Path) -> list[Path]:
    """Things that may lie in a folder, none of them a shard, of each that latmix may not touch."""
    (shards / "notes.txt").write_text("mine")
    (shards / f"{1:032x}.safetensors").mkdir()
    os.mkfifo(shards / f"{2:032x}.safetensors")
    (shards / f"{3:032x}.safetensors").symlink_to(shards.parent / "elsewhere")
    (shards / f"{4:032x}.safetensors").write_bytes(
        struct.pack("<Q", 64) + b'{"__metadata__":{"format":"latmix-latents-2","space":"x"}}      '
    )
    return sorted([shards / "notes.txt", *(shards / f"{i:032x}.safetensors" for i in (1, 2, 3, 4))])


def garbage(shards: Path) -> list[Path]:
    """Files that were shards once."""
    deep = b"[" * 100_000
    notes = {"format": "latmix-latents-1", "space": space_id(SETTINGS), "keys": "3"}
    texts = [b"{}", b"[1]", b"\xff\xfe", deep, json.dumps({"__metadata__": notes}).encode()]
    blobs = [b"", b"\x01", b"\xff" * 16, *(struct.pack("<Q", len(text)) + text for text in texts)]
    paths = [shards / f"{16 + index:032x}.safetensors" for index in range(len(blobs))]
    for path, blob in zip(paths, blobs, strict=True):
        path.write_bytes(blob)
    return paths


def test_files_that_are_no_shards_are_passed_over_reported_and_the_dead_ones_removed(
    tmp_path: Path,
) -> None:
    shard = fill(tmp_path, KEYS)
    others, dead = foreign(shard.parent), garbage(shard.parent)
    assert_holds(LatentStore(tmp_path).open(SETTINGS, SHAPE), KEYS)
    report = verify(tmp_path)
    assert report.rows == 6 and not report.sound and not report.damaged
    assert sorted(file.path for file in report.unreadable) == sorted([*others, *dead])
    assert all(file.reason for file in report.unreadable)
    freed = sum(path.stat().st_size for path in dead)
    assert prune(tmp_path) == freed
    assert sorted(shard.parent.iterdir()) == sorted([shard, *others])
    assert_holds(LatentStore(tmp_path).open(SETTINGS, SHAPE), KEYS)


def test_a_garbled_description_is_reported_and_written_anew(tmp_path: Path) -> None:
    note = fill(tmp_path, KEYS[:1]).parents[1] / "space.json"
    for text in (b"", b"\xff", b"[1]", note.read_bytes().replace(b"50", b"51")):
        note.write_bytes(text)
        assert [file.path for file in verify(tmp_path).unreadable] == [note]
        assert LatentStore(tmp_path).spaces()[0].settings == {}
        fill(tmp_path, KEYS[:1])
        assert LatentStore(tmp_path).spaces()[0].settings == SETTINGS


@settings(max_examples=60, deadline=None)
@given(choice=st.data())
def test_whatever_rows_of_many_copies_are_damaged_the_sound_ones_are_read(
    choice: st.DataObject,
) -> None:
    """Some files have vanished too; reading, summaries and looking for what is missing agree."""
    with tempfile.TemporaryDirectory() as folder:
        root, sound = Path(folder), set[str]()
        gone: list[Path] = []
        for _ in range(choice.draw(st.integers(1, 5))):
            keys = choice.draw(st.lists(st.sampled_from(KEYS), min_size=1, unique=True))
            path = fill(root, keys)
            blob = bytearray(path.read_bytes())
            flipped = choice.draw(st.sets(st.integers(0, len(keys) - 1)))
            for row in flipped:
                blob[-1 - 4 * math.prod(SHAPE) * row] ^= 1
            path.write_bytes(blob)
            if choice.draw(st.booleans()):
                gone.append(path)
            else:
                sound |= {key for row, key in enumerate(keys[::-1]) if row not in flipped}
        before = LatentStore(root).open(SETTINGS, SHAPE)
        for path in gone:
            path.unlink()
        asked = choice.draw(st.lists(st.sampled_from(KEYS)))
        for space in (before, LatentStore(root).open(SETTINGS, SHAPE)):
            lost = [place for place, key in enumerate(asked) if key not in sound]
            there = [key for key in asked if key in sound]
            exact = torch.stack([torch.zeros(SHAPE), *(latent_of(key) for key in there)])[1:]
            assert torch.equal(space.read(there), exact)
            assert torch.equal(space.summary(there)[1], exact.double().mean(dim=(2, 3)))
            assert space.missing(asked) == lost
            for key in set(asked) - sound:
                with pytest.raises((KeyError, StoreError)):
                    space.read([key])
