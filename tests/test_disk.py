"""A durable file is written whole or not at all."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from latmix.disk import write_durably, write_json_durably


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
