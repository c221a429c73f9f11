"""The terminal's going away, which a program that it does not control is sent no signal about."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

STDIN, STREAMS = 0, (0, 1, 2)


def watch_terminal(tell: Callable[[], object]) -> None:
    """Call `tell`, in another thread, once the terminal at stdin is gone.

    Its streams lead nowhere from then on, so that the last words of an orderly end do not fail.
    Does nothing where the system cannot say.
    """
    if hasattr(select, "poll"):
        Thread(target=_wait, args=(tell,), name="latmix-hangup", daemon=True).start()


def _wait(tell: Callable[[], object]) -> None:
    poll = select.poll()
    poll.register(STDIN, 0)  # that it hung up is told unasked
    if not any(seen & select.POLLHUP for _, seen in poll.poll()):
        return
    terminal, nowhere = os.fstat(STDIN).st_rdev, os.open(os.devnull, os.O_RDWR)
    for stream in STREAMS:
        with suppress(OSError):
            if os.fstat(stream).st_rdev == terminal:
                os.dup2(nowhere, stream)
    os.close(nowhere)
    with suppress(RuntimeError):  # it has ended meanwhile
        tell()
