"""A file is written whole or not at all; only regular files of a sane size are read."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from latmix import disk
from latmix.config import load_config
from latmix.disk import read_file, read_json, write_durably, write_json_durably
from latmix.errors import LatmixError
from latmix.images.files import read_sidecar
from latmix.models.files import read_json as read_model_json
from latmix.models.single_file import read_names
from latmix.results.recipes import read_recipe
from latmix.session import saved
from latmix.session.session import Session
from latmix.session.weight_tables import read_weights
from latmix.store.folders import SpaceFolder
from latmix.tui.terminal.themes import load_themes


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
    write_durably(tmp_path / "a" / "b", [b"1"], tmp=tmp_path)
    assert steps == ["folder", "file", "rename", "folder"]  # the first is for the name "a"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "note.json"
    write_json_durably(path, {"a": [1, None]})
    assert json.loads(path.read_text()) == {"a": [1, None]}
    with pytest.raises(TypeError):
        write_durably(path, [b"half", "of it"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="plain JSON"):
        write_json_durably(path, float("nan"))
    assert json.loads(path.read_text()) == {"a": [1, None]}
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_can_be_written_but_not_listed_takes_a_file(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.mkdir()
    box.chmod(0o333)
    disk.replace_file(box / "a", [b"1"])
    assert (box / "a").read_bytes() == b"1"
    box.chmod(0o755)
    assert [path.name for path in box.iterdir()] == ["a"]


def theme_of(path: Path) -> None:
    """The theme in a file, or its sentence as an error: one bad file costs only itself."""
    for sentence in load_themes([path.parent]).failed:
        raise LatmixError(sentence)


READERS: dict[str, Callable[[Path], object]] = {
    "a.toml": theme_of,
    "config.toml": lambda _: load_config(),
    "session.json": lambda path: saved.resume(Session(), path),
    "weights.csv": read_weights,
    "model_index.json": read_model_json,
    "model.safetensors": read_names,
    "picture.txt": lambda path: read_sidecar(path.with_suffix(".png")),
    "result.png": read_recipe,
}
"""What is read of people's own files, by the name of one."""


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", READERS)
def test_a_pipe_a_folder_and_a_device_end_in_a_sentence(
    tmp_path: Path, own_home: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for make in (os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")):
        place = tmp_path / make.__name__
        place.mkdir()
        make(place / name)
        monkeypatch.setenv("LATMIX_CONFIG", str(place / name))
        with pytest.raises(LatmixError) as caught:
            READERS[name](place / name)
        assert name in caught.value.message


@pytest.mark.parametrize("name", READERS)
def test_a_file_beyond_all_bounds_is_not_read_into_memory(
    tmp_path: Path, own_home: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hole of a terabyte takes no room on the disk."""
    with (tmp_path / name).open("wb") as file:
        os.truncate(file.fileno(), 2**40)
    if name == "picture.txt":  # only its beginning is read
        assert read_sidecar(tmp_path / "picture.png") is not None
        return
    monkeypatch.setenv("LATMIX_CONFIG", str(tmp_path / name))
    with pytest.raises(LatmixError):
        READERS[name](tmp_path / name)


def test_a_description_that_is_a_pipe_is_no_description(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "space.json")
    assert SpaceFolder(tmp_path).description() is None


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_file(path, most=5) == b"12345"
    with pytest.raises(disk.NotReadable, match="larger than 4 bytes"):
        read_file(path, most=4)
    path.write_bytes(b"[" * 100_000)
    with pytest.raises(ValueError, match="nested"):
        read_json(path)


@pytest.mark.parametrize("name", ["session.json", "model_index.json", "model.safetensors"])
def test_json_that_is_nested_too_deeply_ends_in_a_sentence(tmp_path: Path, name: str) -> None:
    deep = b"[" * 100_000
    start = len(deep).to_bytes(8, "little") if name == "model.safetensors" else b""
    (tmp_path / name).write_bytes(start + deep + b" ")
    with pytest.raises(LatmixError, match="cannot be read"):
        READERS[name](tmp_path / name)
