"""The store of latents: what goes in comes out, whatever happens to the process or the disk.

What must be killed, starved or stripped of its rights runs in a child, forked from one process
that has loaded torch once (`child`).
"""

from __future__ import annotations

import base64
import errno
import json
import os
import random
import re
import resource
import select
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from latmix.disk import write_durably, write_json_durably
from latmix.errors import StoreError
from latmix.store import folders
from latmix.store.folders import SpaceFolder
from latmix.store.latents import LatentStore, row_key, space_id
from latmix.store.memory import BlockMemory
from latmix.store.reading import ShardReader
from latmix.store.shards import Shard, scan_shard
from latmix.store.space import LatentSpace
from latmix.store.upkeep import DamagedRow
from tests.support.store import (
    KEYS,
    SETTINGS,
    SHAPE,
    assert_holds,
    assert_tells_no_lies,
    fill,
    finish,
    latent_of,
    prune,
    strike,
    tree,
    verify,
)

# ---- what goes in comes out


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_latents_come_back_in_the_order_asked_equal_to_the_last_bit(
    tmp_path: Path, kind: torch.dtype
) -> None:
    latents = {key: latent_of(key).to(kind) for key in KEYS}
    with LatentStore(tmp_path).open(SETTINGS, SHAPE) as space:
        for key, latent in latents.items():
            space.add(key, latent)
            latent_before = latent.clone()
            latent += 1  # the caller may go on with its tensor
            latents[key] = latent_before
        buffered = space.read(KEYS)
    asked = [KEYS[3], KEYS[0], KEYS[3], KEYS[5]]
    read = LatentStore(tmp_path).open(SETTINGS, SHAPE).read(asked)
    assert read.dtype == torch.float32
    assert torch.equal(read, torch.stack([latents[key].float() for key in asked]))
    assert torch.equal(buffered, torch.stack([latents[key].float() for key in KEYS]))


def test_two_spaces_do_not_mix(tmp_path: Path) -> None:
    shard = fill(tmp_path, KEYS)
    other = LatentStore(tmp_path).open({**SETTINGS, "steps": 51}, SHAPE)
    assert other.missing(KEYS) == list(range(6))
    with pytest.raises(KeyError):
        other.read(KEYS[:1])
    with other:
        other.add(KEYS[0], torch.zeros(SHAPE))
    # Nor when someone moves a file: it knows where it belongs.
    moved = shard.parents[2] / other.id / "shards" / shard.name
    moved.write_bytes(shard.read_bytes())
    other = LatentStore(tmp_path).open({**SETTINGS, "steps": 51}, SHAPE)
    assert torch.equal(other.read(KEYS[:1])[0], torch.zeros(SHAPE))
    assert other.missing(KEYS) == [1, 2, 3, 4, 5]
    assert [file.path for file in verify(tmp_path).unreadable] == [moved]


def test_summaries_equal_those_computed_in_float64_from_what_is_stored(tmp_path: Path) -> None:
    fill(tmp_path, KEYS[:4])
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    space.add(KEYS[4], latent_of(KEYS[4]))
    asked = [KEYS[4], KEYS[1], KEYS[1], KEYS[0]]
    norms, means = space.summary(asked)
    exact = space.read(asked).double()
    assert norms.dtype == means.dtype == torch.float64
    assert torch.equal(norms, torch.stack([row.square().sum() for row in exact]))
    assert torch.equal(means, exact.mean(dim=(2, 3)))


def test_a_weighted_sum_by_blocks_equals_that_of_all_rows(tmp_path: Path) -> None:
    fill(tmp_path, KEYS)
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    asked = [*KEYS[::-1], KEYS[2]]
    blocks = list(space.blocks(asked, rows=3))
    assert [part for part, _ in blocks] == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert torch.equal(torch.cat([rows for _, rows in blocks]), space.read(asked))
    sums = list(space.each_block(asked, lambda part, rows: (part, rows.sum(dim=0)), rows=3))
    assert [part for part, (worked_on, _) in sums if part == worked_on] == [p for p, _ in blocks]
    total = torch.stack([made for _, (_, made) in sums]).sum(dim=0)
    torch.testing.assert_close(total, space.read(asked).sum(dim=0))
    assert list(space.blocks([])) == [] and space.read([]).shape == (0, *SHAPE)
    with pytest.raises(ValueError, match="rows"):
        space.blocks(asked, rows=0)


@pytest.fixture(scope="module")
def untidy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of KEYS[:5] in three files: one row is damaged, and two are there twice."""
    root = tmp_path_factory.mktemp("untidy")
    damaged = fill(root, KEYS[:3])
    blob = bytearray(damaged.read_bytes())
    blob[-1] ^= 1
    damaged.write_bytes(blob)
    fill(root, [KEYS[2], KEYS[1]])
    fill(root, KEYS[3:5])
    return root


@settings(max_examples=60, deadline=None)
@given(asked=st.lists(st.sampled_from(KEYS), max_size=20), rows=st.integers(1, 5))
def test_any_keys_in_any_order_come_from_sound_rows(
    untidy: Path, asked: list[str], rows: int
) -> None:
    space = LatentStore(untidy).open(SETTINGS, SHAPE)
    space.add(KEYS[5], latent_of(KEYS[5]))
    exact = torch.stack([torch.zeros(SHAPE), *(latent_of(key) for key in asked)])[1:]
    for _ in range(2):  # what is not proved sound yet, and what is
        assert torch.equal(space.read(asked), exact)
        assert torch.equal(space.summary(asked)[0], exact.double().square().sum(dim=(1, 2, 3)))
        assert torch.equal(space.summary(asked)[1], exact.double().mean(dim=(2, 3)))
        blocks = [block for _, block in space.blocks(asked, rows)]
        assert torch.equal(torch.cat([exact[:0], *blocks]), exact)
    assert space.missing([*asked, "none"]) == [len(asked)]


def test_rows_that_lie_together_are_read_at_once_and_checked_once(
    tmp_path: Path, reads: list[range]
) -> None:
    shard = fill(tmp_path, KEYS)
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    assert space.missing(KEYS) == [] and space.missing(KEYS[::-1]) == []
    assert reads == [range(6)]
    space.read([*KEYS[1:4], KEYS[0], KEYS[5]])
    assert reads == [range(6), range(1, 4), range(1), range(5, 6)]
    os.utime(shard, (0, 0))  # someone wrote to it, as far as one can tell
    assert space.missing(KEYS[:2]) == [] and reads[4:] == [range(2)]


def test_memory_is_used_again_only_when_no_tensor_in_it_is_left() -> None:
    memory = BlockMemory(3, SHAPE)
    held = memory.block(3)[1:].flatten()
    other = memory.block(2)
    assert other.shape == (2, *SHAPE) and other.data_ptr() % 64 == 0
    first, second = held.untyped_storage().data_ptr(), other.data_ptr()
    assert first != second
    del held
    again = memory.block(1)
    assert again.data_ptr() == first
    assert memory.block(1).data_ptr() not in (first, second)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e300])
def test_a_latent_that_is_not_finite_in_float32_is_refused(tmp_path: Path, bad: float) -> None:
    with LatentStore(tmp_path).open(SETTINGS, SHAPE) as space:
        latent = torch.zeros(SHAPE, dtype=torch.float64)
        latent[1, 2, 3] = bad
        with pytest.raises(ValueError, match="finite"):
            space.add(KEYS[0], latent)
        assert KEYS[0] not in space
    assert not tree(tmp_path)


def test_a_latent_or_a_space_of_another_shape_is_refused(tmp_path: Path) -> None:
    store = LatentStore(tmp_path)
    with store.open(SETTINGS, SHAPE) as space:
        with pytest.raises(ValueError, match=r"\(2, 3, 4\), not \(2, 4, 3\)"):
            space.add(KEYS[0], torch.zeros(2, 4, 3))
        space.add(KEYS[0], torch.zeros(SHAPE))
    with pytest.raises(ValueError, match="as in this space"):
        store.open(SETTINGS, (2, 4, 3))
    with pytest.raises(ValueError, match="positive"):
        store.open(SETTINGS, (2, 0, 3))


def test_a_space_is_named_by_its_settings_in_any_order() -> None:
    assert space_id({"a": 1, "b": [1, 2]}) == space_id({"b": (1, 2), "a": 1})
    assert space_id({"a": 1}) != space_id({"a": 2})
    assert len(space_id({})) == 16 and len(row_key("", "")) == 32
    assert row_key("a", "bc") != row_key("ab", "c")
    for settings_ in ({"a": float("nan")}, {"a": object()}):
        with pytest.raises(ValueError, match="plain JSON"):
            space_id(settings_)


def test_looking_up_leaves_no_trace(tmp_path: Path) -> None:
    root = tmp_path / "nowhere"
    store = LatentStore(root)
    with store.open(SETTINGS, SHAPE) as space:
        assert space.missing(KEYS) == list(range(6)) and KEYS[0] not in space
        space.refresh()
    assert store.spaces() == [] and verify(root).sound and prune(root) == 0
    assert not root.exists()


def test_the_store_says_what_it_holds(tmp_path: Path) -> None:
    shard = fill(tmp_path, KEYS[:4])
    fill(tmp_path, KEYS[3:])
    (info,) = LatentStore(tmp_path).spaces()
    assert (info.id, info.settings, info.rows) == (space_id(SETTINGS), SETTINGS, 6)
    assert info.bytes == sum(map(len, tree(tmp_path).values()))
    assert info.modified >= shard.stat().st_mtime


def test_rows_reach_the_disk_after_256_of_them_or_30_seconds(tmp_path: Path) -> None:
    now = 0.0
    folder = SpaceFolder(tmp_path / "latents" / "v1" / space_id(SETTINGS))
    space = LatentSpace(folder, SETTINGS, SHAPE, clock=lambda: now)

    def stored() -> int:
        return sum(info.rows for info in LatentStore(tmp_path).spaces())

    for index in range(256):
        assert stored() == 0
        space.add(f"{index}", torch.zeros(SHAPE))
    assert stored() == 256
    now = 100.0
    space.add("a", torch.zeros(SHAPE))
    now = 129.0
    space.add("b", torch.zeros(SHAPE))
    assert stored() == 256
    now = 130.0
    space.add("c", torch.zeros(SHAPE))
    assert stored() == 259


def test_the_store_needs_no_torch_until_a_space_is_opened(tmp_path: Path) -> None:
    fill(tmp_path, KEYS)
    code = (
        "import sys, pathlib; from latmix.store.latents import LatentStore\n"
        "store = LatentStore(pathlib.Path(sys.argv[1]))\n"
        "for work in (store.verify(), store.prune()):\n"
        "    list(work)\n"
        "print(store.spaces()[0].rows, 'torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, cwd=HERE)
    assert (ran.stdout.decode().split(), ran.stderr) == (["6", "False"], b"")


# ---- the format, which must stay readable


def test_fifteen_lines_without_latmix_read_a_shard(tmp_path: Path) -> None:
    def read_shard(path: Path) -> dict[str, tuple[float, list[float], list[float]]]:
        blob = path.read_bytes()
        base = 8 + struct.unpack("<Q", blob[:8])[0]
        header = json.loads(blob[8:base])
        assert header["__metadata__"]["format"] == "latmix-latents-1"

        def tensor(name: str, code: str) -> tuple[int, list[float]]:
            entry = header[name]
            start, end = entry["data_offsets"]
            values = list(struct.iter_unpack(code, blob[base + start : base + end]))
            return len(values) // entry["shape"][0], [value for (value,) in values]

        keys = json.loads(header["__metadata__"]["keys"])
        (a, norms), (b, means), (c, latents) = (
            tensor(name, code)
            for name, code in (("squared_norm", "<d"), ("channel_mean", "<d"), ("latents", "<f"))
        )
        assert a == 1
        return {
            key: (norms[i], means[b * i : b * i + b], latents[c * i : c * i + c])
            for i, key in enumerate(keys)
        }

    rows = read_shard(fill(tmp_path, KEYS))
    assert list(rows) == KEYS
    for key, (norm, means, latent) in rows.items():
        exact = latent_of(key).double()
        assert norm == exact.square().sum()
        assert means == exact.mean(dim=(1, 2)).tolist()
        assert latent == exact.flatten().tolist()


def test_safetensors_itself_reads_a_shard(tmp_path: Path) -> None:
    with safe_open(fill(tmp_path, KEYS), framework="pt") as shard:
        assert json.loads(shard.metadata()["keys"]) == KEYS
        expected = torch.stack([latent_of(key) for key in KEYS])
        assert torch.equal(shard.get_tensor("latents"), expected)
        assert torch.equal(shard.get_tensor("channel_mean"), expected.double().mean(dim=(2, 3)))


def test_a_shard_of_the_first_version_is_readable_for_ever(tmp_path: Path) -> None:
    shards = tmp_path / "latents" / "v1" / space_id(SETTINGS) / "shards"
    shards.mkdir(parents=True)
    (shards / f"{0:032x}.safetensors").write_bytes(base64.b64decode(FIRST_VERSION))
    space = LatentStore(tmp_path).open(SETTINGS, (1, 1, 2))
    assert torch.equal(space.read(["one", "two"]).view(2, 2), torch.tensor([[1.0, 2], [3, -4]]))
    assert space.summary(["two"])[0].tolist() == [25.0] and verify(tmp_path).sound


# ---- damage


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
    means = [16, 16 + 8 * 1000 * 10**9]
    for name in ("keys", "summary_checksums", "checksums"):
        header["__metadata__"][name] = json.dumps(keys)
    header["squared_norm"] = {"dtype": "F64", "shape": [1000], "data_offsets": [0, 8000]}
    header["channel_mean"] = {"dtype": "F64", "shape": [1000, 10**9], "data_offsets": means}
    latents = {"dtype": "F32", "shape": [1000, 10**9, 1, 1], "data_offsets": [0, 4 * 10**12]}
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


# ---- several processes


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


# ---- a disk that refuses


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


# ---- one durable file


def test_a_file_is_synced_before_it_gets_its_name_and_the_name_is_synced_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, rename = os.fsync, os.replace

    def watched_sync(handle: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    def watched_rename(old: Path, new: Path) -> None:
        steps.append("rename")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(os, "replace", watched_rename)
    write_durably(tmp_path / "a" / "b", lambda file: file.write(b"1"), tmp=tmp_path)
    assert steps == ["folder", "file", "rename", "folder"]  # the first is for the name "a"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "note.json"
    write_json_durably(path, {"a": [1, None]})
    assert json.loads(path.read_text()) == {"a": [1, None]}

    def fail(file: Any) -> None:
        file.write(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_durably(path, fail)
    with pytest.raises(ValueError, match="plain JSON"):
        write_json_durably(path, float("nan"))
    assert json.loads(path.read_text()) == {"a": [1, None]}
    assert list(tmp_path.iterdir()) == [path]


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


# ---- upkeep


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


# ---- children


def refuse(number: int) -> None:
    raise OSError(number, os.strerror(number))


def fork(body: Callable[[], object]) -> int:
    """Runs `body` in a copy of this process; its id."""
    pid = os.fork()
    if pid == 0:
        try:
            body()
            os._exit(0)
        except KeyboardInterrupt:
            os._exit(130)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return pid


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


LARGE = (4, 32, 32)


def kill_writers(root: str, rounds: int) -> tuple[int, int]:
    """Kills two or three writers at random instants, over and over; rows flushed, and stored."""
    store, chance = LatentStore(Path(root)), random.Random(0)
    flushed: set[str] = set()
    begun: set[str] = set()
    for turn in range(rounds):
        reading, writing = os.pipe()
        count = 2 + turn % 2
        # Writers overlap, as those of one folder of pictures do.
        ranges = [range(300 * turn + 50 * writer, 300 * turn + 300) for writer in range(count)]

        def write(numbers: range, pipe: int = writing) -> None:
            with store.open(SETTINGS, LARGE) as space:
                for number in numbers:
                    key = row_key(str(number), "")
                    space.add(key, latent_of(key, LARGE))
                    if number % 3 == 0:
                        space.flush()
                        os.write(pipe, b"%8d" % number)

        pids = [fork(partial(write, numbers)) for numbers in ranges]
        begun |= {row_key(str(number), "") for numbers in ranges for number in numbers}
        os.close(writing)
        select.select([reading], [], [])  # at least one flush is done
        select.select([], [], [], chance.uniform(0, 0.1))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        assert {ended(pid) for pid in pids} == {-signal.SIGKILL}
        with os.fdopen(reading, "rb") as pipe:
            numbers = pipe.read().split()
        flushed |= {row_key(number.decode(), "") for number in numbers}
        space = store.open(SETTINGS, LARGE)
        assert_holds(space, sorted(flushed))
    assert finish(store.verify()).sound
    stored = sorted(key for key in begun if key in space)
    assert_holds(space, stored)
    return len(flushed), len(stored)


def prune_among_writers(root: str) -> int:
    """Prunes all the while two processes store the same keys; how many shards that removed."""
    store = LatentStore(Path(root))
    keys = [row_key(str(number), "") for number in range(60)]

    def write() -> None:
        with store.open(SETTINGS, SHAPE) as space:
            for count, key in enumerate(keys):
                space.add(key, latent_of(key))
                if count % 4 == 3:
                    space.flush()
                    assert_holds(space, keys[: count + 1])

    with store.open(SETTINGS, SHAPE) as reader:
        reader.add(keys[0], latent_of(keys[0]))
    running = [fork(write), fork(write)]
    while running:
        finish(store.prune())
        reader.refresh()
        assert_holds(reader, [key for key in keys if key in reader])
        for pid in list(running):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                assert status == 0
                running.remove(pid)
    finish(store.prune())
    assert_holds(store.open(SETTINGS, SHAPE), keys)
    assert_holds(reader, keys)
    report = finish(store.verify())
    assert report.sound and report.rows == len(keys)
    (space,) = Path(root).glob("latents/v1/*")
    return 31 - len(list((space / "shards").iterdir()))


def die_at_every_step(root: str) -> int:
    """Has a writer die at the first, second, ... call to the system; how many there are."""
    step = 0
    while True:
        step += 1
        place = Path(root) / str(step)

        def write(place: Path = place, step: int = step) -> None:
            strike(step, lambda: os._exit(9), setattr)
            with LatentStore(place).open(SETTINGS, SHAPE) as space:
                space.add(KEYS[0], latent_of(KEYS[0]))
                space.flush()
                space.add(KEYS[1], latent_of(KEYS[1]))

        code = ended(fork(write))
        assert verify(place).sound
        assert_tells_no_lies(LatentStore(place).open(SETTINGS, SHAPE), KEYS[:2])
        fill(place, KEYS)
        assert_holds(LatentStore(place).open(SETTINGS, SHAPE), KEYS)
        if code == 0:
            return step - 1
        assert code == 9


def interrupt_writer(root: str) -> int:
    reading, writing = os.pipe()

    def write() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with LatentStore(Path(root)).open(SETTINGS, SHAPE) as space:
            for key in KEYS:
                space.add(key, latent_of(key))
            os.write(writing, b".")
            while True:
                select.select([], [], [], 0.01)

    pid = fork(write)
    os.read(reading, 1)
    os.kill(pid, signal.SIGINT)
    return ended(pid)


def fill_up_the_disk(root: str) -> tuple[str, str]:
    """Writes against a limit on the size of files, which stops it in the middle of a shard."""
    store = LatentStore(Path(root))
    keys = [row_key(str(number), "") for number in range(12)]
    with store.open(SETTINGS, LARGE) as space:
        for key in keys[:3]:
            space.add(key, latent_of(key, LARGE))
        space.flush()
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        for key in keys[3:]:
            space.add(key, latent_of(key, LARGE))
        with pytest.raises(StoreError) as caught:
            space.flush()
        assert_holds(space, keys)
        assert_holds(store.open(SETTINGS, LARGE), keys[:3])
        assert not list(Path(root).glob("latents/v1/*/tmp/*"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    assert_holds(store.open(SETTINGS, LARGE), keys)
    assert verify(Path(root)).sound
    return caught.value.message, caught.value.hint


def write_without_permission(root: str) -> tuple[str, str]:
    os.chdir(root)  # someone else may not walk to where pytest keeps its folders
    if os.geteuid() == 0:
        os.setuid(65534)
    store = LatentStore(Path())
    assert [info.rows for info in store.spaces()] == [2]
    space = store.open(SETTINGS, SHAPE)
    assert_holds(space, KEYS[:2])
    space.add(KEYS[2], latent_of(KEYS[2]))
    with pytest.raises(StoreError) as caught:
        space.flush()
    assert_holds(space, KEYS[:3])
    return caught.value.message, caught.value.hint


Child = Callable[..., Any]
HERE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """Calls a function of this file, with JSON in and out, in a process of its own."""
    code = (
        "import importlib.util as loader, sys\n"
        "spec = loader.spec_from_file_location('store_children', sys.argv[1])\n"
        "module = sys.modules['store_children'] = loader.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "module.serve()"
    )
    command = [sys.executable, "-c", code, __file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        stdin, stdout = server.stdin, server.stdout

        def call(function: Callable[..., Any], *arguments: Any) -> Any:
            print(json.dumps([function.__name__, arguments]), file=stdin, flush=True)
            code, result = json.loads(stdout.readline())
            assert code == 0, result
            return result

        yield call
        stdin.close()


def serve() -> None:
    """Answers the calls of `child`, each in a fork, so that they share one import of torch."""
    torch.set_num_threads(1)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        with tempfile.TemporaryFile("w+") as answer:

            def work(
                name: str = name, arguments: list[Any] = arguments, answer: Any = answer
            ) -> None:
                try:
                    json.dump(globals()[name](*arguments), answer)
                except BaseException:
                    traceback.print_exc(file=answer)
                    answer.flush()
                    raise
                answer.flush()

            code = ended(fork(work))
            answer.seek(0)
            text = answer.read()
        print(json.dumps([code, text if code else json.loads(text)]), flush=True)


FIRST_VERSION = """
oAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJsYXRtaXgtbGF0ZW50cy0xIiwic3BhY2UiOiIxOTE2YjEzOGM4
MTU2NTE0Iiwid3JpdHRlbl9ieSI6ImxhdG1peCAwLjEuMCIsImtleXMiOiJbXCJvbmVcIiwgXCJ0d29cIl0iLCJzdW1tYXJ5
X2NoZWNrc3VtcyI6IlsyOTE2ODQ1NzEsIDI1NzI5MDQ1MjBdIiwiY2hlY2tzdW1zIjoiWzI3MTY0MTgyNjAsIDE3Nzk0Nzg4
NDBdIn0sInNxdWFyZWRfbm9ybSI6eyJkdHlwZSI6IkY2NCIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzAsMTZdfSwi
Y2hhbm5lbF9tZWFuIjp7ImR0eXBlIjoiRjY0Iiwic2hhcGUiOlsyLDFdLCJkYXRhX29mZnNldHMiOlsxNiwzMl19LCJsYXRl
bnRzIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDEsMSwyXSwiZGF0YV9vZmZzZXRzIjpbMzIsNDhdfX0gIAAAAAAAABRA
AAAAAAAAOUAAAAAAAAD4PwAAAAAAAOC/AACAPwAAAEAAAEBAAACAwA==
"""
