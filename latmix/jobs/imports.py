"""Importing torch and the networks' libraries without holding up the program's other threads.

Two things would stop a screen for a quarter of a second and more: the system's loader, which Python
calls with its lock held, and the collector, which walks the libraries' millions of lasting objects
again and again.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from latmix.process import uncollected


def import_numerics() -> None:
    """Import torch and the jobs that need it: a second or two."""
    if "torch" not in sys.modules:
        _load_torch_libraries()
    with uncollected():
        import latmix.jobs.generation
        import latmix.jobs.inversion
        import latmix.jobs.workbench  # noqa: F401


def import_networks(names: Iterable[str]) -> None:
    """Import the classes that a model's parts are loaded with: some seconds more."""
    with uncollected():
        from latmix.models.parts import import_classes
    import_classes(names)


def _load_torch_libraries() -> None:
    """Have the system load torch's C++ libraries, with Python's lock free meanwhile.

    A function called through ctypes runs without the lock, where `import` and `CDLL` keep it. The
    import afterwards finds the libraries loaded. Where this is not possible it does nothing.
    """
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
