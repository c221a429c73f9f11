"""The viewer: started without its output on our screen, and never waited for."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import pytest

from latmix.viewer import open_picture, viewer_command


def script(tmp_path: Path, code: str) -> str:
    """A viewer's command that runs Python code with the picture's path as its argument."""
    file = tmp_path / "viewer.py"
    file.write_text(code)
    return shlex.join([sys.executable, str(file)])


def test_a_viewer_gets_the_path_and_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import pathlib, sys, time; print('noise', flush=True)\n"
        "pathlib.Path(__file__).with_name('seen').write_text(sys.argv[1]); time.sleep(5)"
    )
    monkeypatch.setenv("LATMIX_VIEWER", script(tmp_path, code))
    start = time.monotonic()
    opened = open_picture(tmp_path / "my picture.png")
    assert opened.is_open
    assert time.monotonic() - start < 4
    assert (tmp_path / "seen").read_text() == str(tmp_path / "my picture.png")
    assert capfd.readouterr() == ("", "")


def test_a_viewer_that_fails_is_said_with_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATMIX_VIEWER", script(tmp_path, "raise SystemExit(3)"))
    opened = open_picture(tmp_path / "a.png")
    assert not opened.is_open
    assert "ended with code 3" in opened.message
    assert "a.png" in opened.message


def test_a_viewer_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATMIX_VIEWER", "no-such-viewer --fast")
    opened = open_picture(tmp_path / "a.png")
    assert not opened.is_open
    assert "no-such-viewer failed" in opened.message


def test_without_a_display_the_path_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LATMIX_VIEWER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", "")
    assert viewer_command() is None
    opened = open_picture(tmp_path / "a.png")
    assert not opened.is_open
    assert "a.png" in opened.message
