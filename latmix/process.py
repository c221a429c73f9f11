"""Everything that latmix changes in its process, in one list, for the front ends only.

A library call (`latmix.load_model`, `invert`, `mix`, `generate`) leaves its caller's process as it
was; a program of latmix's own prepares its process by these.

| what | changed by | so that |
|---|---|---|
| environment: how torch's threads wait | `prepare` | other programs slow a network less |
| environment, logging: libraries' notices | `prepare`, `quiet_logs` | only latmix speaks |
| stdout, stderr: letters they lack | `prepare` | no name of a file can end a command |
| libraries' progress bars | `hide_bars`, `hide_hub_bars` | they do not spoil the screen |
| garbage collector: rests while importing | `uncollected` | imports are quicker, screens go on |
| torch's C++ libraries: loaded before it | `load_torch` | the same |
| logging, warnings: to a file | `logging_to` | they do not spoil the screen |
| signals to end | `leave_on_signals` | what was finished is kept |
| the process itself | `leave_at_once` | a thread that cannot be stopped holds nobody up |

While the terminal UI is up, `tui.terminal` has the terminal's own, and full collections. Three
files change something within a call and give it back before it ends: `images.hush` warnings and
libtiff's messages, `models.side_by_side` torch's threads, `models.parts` a package that cannot be
imported.
"""

from __future__ import annotations

import gc
import importlib.util
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

LOG_BYTES = 1_000_000
"""Of a log before another is begun."""


def prepare() -> None:
    """At the start of a program, before any library is imported."""
    # Torch's threads spin while they wait for one another: where another program wants a core,
    # a network call took 2.6 s that takes 0.06 s when they sleep. Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    for name in ("TRANSFORMERS_VERBOSITY", "DIFFUSERS_VERBOSITY"):
        os.environ.setdefault(name, "error")
    for stream in (sys.stdout, sys.stderr):
        # A stream that is not UTF-8 shows what it lacks as an escape.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def quiet_logs() -> None:
    """Before a command runs; help does without."""
    import logging

    logging.getLogger("PIL").addHandler(logging.NullHandler())
    for name in ("matplotlib", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)


def hide_bars() -> None:
    """Keep the bars of diffusers and transformers off the terminal; imports both."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()


def hide_hub_bars() -> None:
    """Keep those of what is fetched off the terminal; imports the hub."""
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is looked for meanwhile, and never again among what was made meanwhile.

    The collector would walk the libraries' lasting objects again and again, which takes a sixth of
    the time of importing torch and the networks' libraries, and finds nothing.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def load_torch() -> None:
    """Import torch without holding up the program's other threads.

    The system's loader, which Python calls with its lock held, would stop a screen for a quarter of
    a second. A function called through ctypes runs without the lock, where `import` and `CDLL` keep
    it: it loads the C++ libraries, and the import finds them loaded.
    """
    if "torch" not in sys.modules:
        _load_torch_libraries()
    with uncollected():
        import torch  # noqa: F401


def _load_torch_libraries() -> None:
    """Where this is not possible it does nothing."""
    import ctypes

    found = importlib.util.find_spec("torch")
    if os.name != "posix" or found is None or not found.submodule_search_locations:
        return
    folder = Path(found.submodule_search_locations[0]) / "lib"
    suffix = "dylib" if sys.platform == "darwin" else "so"
    try:
        load = ctypes.CDLL(None).dlopen
    except (OSError, AttributeError):
        return
    load.argtypes, load.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    # As torch itself does it: the shared dependencies for all, the rest for itself.
    for name, scope in (("libtorch_global_deps", os.RTLD_GLOBAL), ("libtorch", os.RTLD_LOCAL)):
        load(os.fsencode(folder / f"{name}.{suffix}"), os.RTLD_NOW | scope)


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Let everything that logs or warns meanwhile write to a file: on a screen it would be noise.

    Where the file cannot be written, it goes nowhere.
    """
    import logging
    from logging.handlers import RotatingFileHandler

    handler: logging.Handler
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", errors="backslashreplace"
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    for other in root.handlers[:]:
        root.removeHandler(other)
    root.addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        root.removeHandler(handler)
        logging.captureWarnings(False)
        handler.close()


def leave_on_signals() -> None:
    """Let signals that end a process do it through its `finally` blocks, which keep what was
    finished; the exit code says which."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, frame: sys.exit(128 + number))


def leave_at_once(code: int) -> NoReturn:
    """End without waiting for threads: one inside an import or the network cannot be ended, and
    the interpreter must not be taken down under it."""
    import logging

    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
