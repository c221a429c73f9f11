"""`python as_shipped.py NOTE WORD ...`: latmix with these words, and what it recorded.

A line is added to the file NOTE whenever a network was recorded; nothing else is changed, and
nothing is imported sooner.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

RECORDING = "latmix.models.recorded"


class Watch:
    """A finder that adds to a file whenever the module of recording records."""

    def __init__(self, note: Path) -> None:
        self._note = note

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> Any:
        if name != RECORDING:
            return None
        sys.meta_path.remove(self)  # type: ignore[arg-type]
        spec = importlib.util.find_spec(name)
        assert isinstance(spec, ModuleSpec) and spec.loader is not None
        execute = spec.loader.exec_module

        def watched(module: ModuleType) -> None:
            execute(module)
            record = module.recorded

            def noted(*given: Any) -> Any:
                found = record(*given)
                with self._note.open("a") as file:
                    file.write("recorded\n")
                return found

            module.recorded = noted  # type: ignore[attr-defined]

        spec.loader.exec_module = watched  # type: ignore[method-assign]
        return spec


if __name__ == "__main__":
    sys.meta_path.insert(0, Watch(Path(sys.argv[1])))  # type: ignore[arg-type]
    sys.argv = ["latmix", *sys.argv[2:]]
    from latmix.__main__ import main

    main()
