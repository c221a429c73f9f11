"""A real terminal for a test: latmix on a pseudo-terminal of its own, with keys and signals."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from types import TracebackType

ENTER_SCREEN, LEAVE_SCREEN, SHOW_CURSOR = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h"
PATIENCE = 60.0


class Terminal:
    """A running `latmix`, with all that it has written."""

    def __init__(
        self,
        *arguments: str,
        term: str = "xterm-256color",
        size: tuple[int, int] = (80, 24),
        program: Sequence[str] = ("-m", "latmix"),
    ) -> None:
        """Start it.

        Args:
            program: what Python runs.
        """
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *reversed(size), 0, 0))
        self._screen = ours
        self._is_gone = False
        self.written = b""
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            # As in conftest.py: threads that wait for one another are slower than one.
            env=os.environ | {"TERM": term, "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        if not self._is_gone:
            os.close(self._screen)

    @property
    def is_restored(self) -> bool:
        """Whether the shell's own screen and cursor are back."""
        end = self.written[self.written.rfind(ENTER_SCREEN) :]
        return LEAVE_SCREEN in end and SHOW_CURSOR in end

    def press(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def until(self, text: str) -> None:
        """Read until the text was written."""
        start, wanted = len(self.written), text.encode()
        while wanted not in self.written[max(0, start - len(wanted)) :]:
            assert self._read(), f"it ended without {text!r}: {self.written[-2000:]!r}"

    def until_quiet(self, seconds: float) -> None:
        """Read until nothing was written for so long."""
        while select.select([self._screen], [], [], seconds)[0]:
            assert self._read(), f"it ended: {self.written[-2000:]!r}"

    def hang_up(self) -> int:
        """Go away, which it is sent no signal about; returns the exit code."""
        os.close(self._screen)
        self._is_gone = True
        return self.process.wait(PATIENCE)

    def end(self) -> int:
        """Read to the end; returns the exit code."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        """One more piece; False at the end."""
        deadline = time.monotonic() + PATIENCE
        ready, _, _ = select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"nothing more came: {self.written[-2000:]!r}"
        try:
            piece = os.read(self._screen, 65536)
        except OSError:  # Linux's way to say that the other side is closed
            return False
        self.written += piece
        return bool(piece)
