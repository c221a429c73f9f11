"""A story a front with the network recorded, as users run it and no other test does (conftest.py).

Each runs in a process of its own that says whether it recorded anything.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

if os.name != "posix":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

from latmix.results.recipes import read_recipe
from tests.support.terminal import Terminal

SHIPPED = Path(__file__).parent / "support" / "as_shipped.py"

MODEL = ("--model", "mini", "--device", "cpu", "--size", "32", "--steps", "24")
"""Enough calls, a picture at a time, that recording pays, and far fewer pixels than usual."""


@pytest.fixture(autouse=True)
def as_users_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LATMIX_RECORD_AFTER", raising=False)


def run(note: Path, *words: object) -> dict[str, Any]:
    """What a command answered."""
    command = [sys.executable, SHIPPED, note, *map(str, words), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def pixels(path: Path) -> bytes:
    with Image.open(path) as picture:
        return picture.convert("RGB").tobytes()


def test_a_centroid_records_the_network_and_its_replay_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note, direct = tmp_path / "note", tmp_path / "direct"
    made, again, plain = (tmp_path / f"{name}.png" for name in ("made", "again", "plain"))
    words = ["centroid", folder, "-n", "3", "--batch", "1", *MODEL, "--guidance", "3"]
    words += ["--prompt", "an emoji of a face"]
    run(note, *words, "-o", made)
    recorded = note.read_text().splitlines()
    assert recorded
    run(note, "replay", made, "-o", again)
    assert len(note.read_text().splitlines()) > len(recorded)
    assert pixels(again) == pixels(made)
    # The bits are those of the network itself, inverted and generated without a recording.
    monkeypatch.setenv("LATMIX_RECORD_AFTER", "0")
    monkeypatch.setenv("LATMIX_HOME", str(tmp_path / "other"))
    run(direct, *words, "-o", plain)
    assert not direct.exists()
    assert pixels(plain) == pixels(made)


def test_the_explorer_records_the_network(folder: Path, tmp_path: Path) -> None:
    note = tmp_path / "note"
    program = (str(SHIPPED), str(note))
    words = ("explore", str(folder), "-n", "3", "--batch", "1", *MODEL)
    with Terminal(*words, program=program) as terminal:
        terminal.until("6 pictures in")
        terminal.press("i")
        terminal.until("inverted in")
        recorded = note.read_text().splitlines()
        assert recorded
        terminal.press("g")
        terminal.until("Made in")
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.is_restored
    (result,) = Path(os.environ["LATMIX_HOME"]).rglob("results/*.png")
    assert len(read_recipe(result).images) == 3
