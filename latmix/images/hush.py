"""Nothing is printed while a picture is read, or a network recorded (`models.recorded`)."""

from __future__ import annotations

import ctypes
import threading
import warnings
from collections.abc import Callable
from contextlib import ExitStack

from PIL import _imaging


def _tiff_complaints() -> Callable[[int | None], int | None]:
    """libtiff's setter of its error handler, which gives the one before.

    Its own handler prints to file descriptor 2, which no Python code sees and which is the
    screen of the terminal UI. Where the setter cannot be reached, nothing is set.
    """
    try:
        setter = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
    except (AttributeError, OSError):
        return lambda handler: None
    setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
    return setter


class Hush:
    """While anyone reads, nothing is printed: remarks on a picture are not for the user.

    Warning filters and libtiff's error handler belong to the whole process, so readers in
    several threads share one change of them: the first makes it and the last takes it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._set_tiff_handler = _tiff_complaints()
        self._undo = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._readers += 1
            if self._readers == 1:
                self._undo.enter_context(warnings.catch_warnings(action="ignore"))
                self._undo.callback(self._set_tiff_handler, self._set_tiff_handler(None))

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._readers -= 1
            if self._readers == 0:
                self._undo.close()


HUSH = Hush()
