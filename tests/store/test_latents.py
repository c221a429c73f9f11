"""The store of latents: what goes in comes out."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latmix.store import space as store_space
from latmix.store.folders import SpaceFolder
from latmix.store.latents import LatentStore, row_key, space_id
from latmix.store.memory import BlockMemory
from latmix.store.space import LatentSpace
from tests.support.store import KEYS, SETTINGS, SHAPE, fill, latent_of, prune, tree, verify


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


ROW_BYTES = 4 * math.prod(SHAPE)


def test_a_weighted_sum_by_blocks_equals_that_of_all_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_space, "BLOCK_BYTES", 3 * ROW_BYTES)
    fill(tmp_path, KEYS)
    space = LatentStore(tmp_path).open(SETTINGS, SHAPE)
    asked = [*KEYS[::-1], KEYS[2]]
    blocks = list(space.blocks(asked))
    assert [part for part, _ in blocks] == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert torch.equal(torch.cat([rows for _, rows in blocks]), space.read(asked))
    sums = list(space.each_block(asked, lambda part, rows: (part, rows.sum(dim=0))))
    assert [part for part, (worked_on, _) in sums if part == worked_on] == [p for p, _ in blocks]
    total = torch.stack([made for _, (_, made) in sums]).sum(dim=0)
    torch.testing.assert_close(total, space.read(asked).sum(dim=0))
    assert list(space.blocks([])) == [] and space.read([]).shape == (0, *SHAPE)


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
        with mock.patch.object(store_space, "BLOCK_BYTES", rows * ROW_BYTES):
            blocks = [block for _, block in space.blocks(asked)]
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
    ran = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, cwd=Path(__file__).parents[2]
    )
    assert (ran.stdout.decode().split(), ran.stderr) == (["6", "False"], b"")
