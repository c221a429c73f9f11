"""Open a picture in the system's viewer, and say so plainly where there is none (ssh, no display).

The viewer's output never reaches our screen, and nothing waits for it to be closed. Needs up to two
seconds to see whether the viewer failed to start: call it off the event loop.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from latmix.names import display_name

START_SECONDS = 2.0


@dataclass(frozen=True)
class Opened:
    """Whether a viewer was started, and a sentence to show."""

    is_open: bool
    message: str


def viewer_command() -> list[str] | None:
    """The command that opens a picture here: LATMIX_VIEWER, or the system's own; None where no
    viewer can show anything."""
    named = os.environ.get("LATMIX_VIEWER")
    if named and named.strip():
        try:
            return shlex.split(named)
        except ValueError:
            return [named]
    if sys.platform == "darwin":
        return ["open"]
    if sys.platform == "win32":
        return ["cmd", "/c", "start", ""]
    if shutil.which("wslview"):
        return ["wslview"]
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return ["xdg-open"] if has_display and shutil.which("xdg-open") else None


def open_picture(path: Path) -> Opened:
    """Open a picture and return once the viewer is up or has failed."""
    shown = display_name(path)
    command = viewer_command()
    if command is None:
        return Opened(False, f"No viewer here; the picture is {shown}")
    try:
        process = subprocess.Popen(
            [*command, str(path.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return Opened(False, f"The viewer {command[0]} failed ({error.strerror}); see {shown}")
    with suppress(subprocess.TimeoutExpired):  # it stays: the picture is shown
        if code := process.wait(START_SECONDS):
            return Opened(False, f"The viewer {command[0]} ended with code {code}; see {shown}")
    return Opened(True, f"Opened {shown}")
