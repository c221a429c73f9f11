"""The viewer: started without its output on our screen, and never waited for."""

from __future__ import annotations

import os
import shlex
import sys
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
    os.mkfifo(tmp_path / "close")
    code = (
        "import pathlib, sys; print('noise', flush=True); here = pathlib.Path(__file__)\n"
        "here.with_name('seen').write_text(sys.argv[1]); here.with_name('close').read_text()"
    )
    monkeypatch.setenv("LATMIX_VIEWER", script(tmp_path, code))
    opened = open_picture(tmp_path / "my picture.png")
    assert opened.is_open
    assert (tmp_path / "seen").read_text() == str(tmp_path / "my picture.png")
    (tmp_path / "close").write_text("")  # blocks for ever where nothing reads it
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
