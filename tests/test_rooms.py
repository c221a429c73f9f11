"""The rooms: what each may import, and what is not loaded until it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import latmix

PACKAGE = Path(latmix.__file__).parent

ROOMS = [
    "errors",
    "prefetch",
    "process",
    "names",
    "disk",
    "images",
    "demo",
    "mixing",
    "models",
    "sampling",
    "store",
    "results",
    "config",
    "jobs",
    "study",
    "session",
    "report",
    "viewer",
    "cli",
    "tui",
]
"""From the ground up: a room imports only rooms before it. `cli` starts `tui`, and nothing else."""

RECIPE = PACKAGE / "models" / "mini" / "train"
"""A script of its own, on top of all rooms; nothing imports it (tests/models/test_training.py)."""

HEAVY = {"torch", "diffusers", "transformers", "textual", "rich", "numpy", "PIL", "matplotlib"}

WITHOUT_TORCH = [
    "latmix",
    "latmix.cli",
    "latmix.config",
    "latmix.demo",
    "latmix.images",
    "latmix.jobs.engine",
    "latmix.jobs.progress",
    "latmix.mixing.companions",
    "latmix.mixing.grid",
    "latmix.mixing.mixture",
    "latmix.mixing.written",
    "latmix.models.fetch",
    "latmix.models.schedule",
    "latmix.models.source",
    "latmix.report",
    "latmix.sampling.presets",
    "latmix.sampling.settings",
    "latmix.sampling.solvers",
    "latmix.session.session",
    "latmix.results.recipes",
    "latmix.study",
    "latmix.study.animations",
    "latmix.study.chart",
    "latmix.study.figures",
    "latmix.study.sheet",
    "latmix.study.sheet_figure",
    "latmix.study.tables",
    "latmix.tui",
    "latmix.tui.app",
    "latmix.viewer",
]


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imports(path: Path) -> set[str]:
    """The rooms that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "latmix":
            names = [node.module or ""]
            if node.module == "latmix":
                names = [f"latmix.{alias.name}" for alias in node.names]
            found |= {room_of(name) for name in names}
        if isinstance(node, ast.Import):
            found |= {room_of(a.name) for a in node.names if a.name.split(".")[0] == "latmix"}
    return found & set(ROOMS)


FILES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if (path.parent != PACKAGE or path.stem in ROOMS) and RECIPE not in path.parents
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_below_it(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own not in ROOMS:
        return
    allowed = set(ROOMS[: ROOMS.index(own) + 1])
    if own == "cli":
        allowed.add("tui")
    assert imports(path) <= allowed


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_a_light_module_loads_no_torch(module: str) -> None:
    code = f"import sys, {module}; print([n for n in ('torch', 'diffusers') if n in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_help_loads_nothing_heavy() -> None:
    """What makes `latmix --help` answer at once, tested without a clock."""
    code = (
        "import sys\nfrom latmix.cli import main\nsys.argv = ['latmix', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set(sys.modules) & {HEAVY!r}), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "centroid" in result.stdout
    assert result.stderr.strip().endswith("[]")


def test_only_the_terminal_ui_imports_textual() -> None:
    for path in PACKAGE.rglob("*.py"):
        if "tui" not in path.relative_to(PACKAGE).parts:
            assert "import textual" not in path.read_text()
            assert "from textual" not in path.read_text()
