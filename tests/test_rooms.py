"""The rooms: what each may import, and what is not loaded until it is needed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import latmix
from tests.support.rooms import arrows_up, circles, imports_of, read_table

PACKAGE = Path(latmix.__file__).parent

MAP = Path(__file__).parents[1] / "CONTRIBUTING.md"

ROOMS = read_table(MAP.read_text(encoding="utf-8"))

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
    "latmix.mixing.norms",
    "latmix.mixing.splits",
    "latmix.session.weight_tables",
    "latmix.models.fetch",
    "latmix.models.schedule",
    "latmix.models.source",
    "latmix.report",
    "latmix.session.presets",
    "latmix.sampling.settings",
    "latmix.sampling.solvers",
    "latmix.session.choices",
    "latmix.session.fields",
    "latmix.session.from_recipe",
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


def test_the_table_names_what_is_there() -> None:
    missing = [room for room in ROOMS if not (PACKAGE / room).exists()]
    assert len(ROOMS) > 15 and missing == []


def test_the_map_names_files_that_are_there() -> None:
    named = set(re.findall(r"`([\w./-]+(?:\.py|\.md|\.toml|/))`", MAP.read_text(encoding="utf-8")))
    places = (PACKAGE, MAP.parent)
    assert len(named) > 30
    assert [name for name in sorted(named) if not any((p / name).exists() for p in places)] == [
        "cli/NAME.py",
        "study/NAME.py",
    ]


def test_a_room_imports_only_rooms_above_it_in_the_table() -> None:
    assert arrows_up(imports_of(PACKAGE), ROOMS) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles(imports_of(PACKAGE)) == []


TREE = {
    "__init__.py": "from typing import TYPE_CHECKING\n",
    "ground.py": "import json\n",
    "house/__init__.py": "",
    "house/hall.py": "from package import ground\nfrom package.house.stairs import up\n",
    "house/stairs.py": "import package.ground\n",
    "house/attic/__init__.py": "",
    "house/attic/box.py": "import package.house.hall\nfrom package.roof import tile\n",
    "roof.py": "def late():\n    from package.house import hall\n",
}
"""A made-up package, sound under `TREE_TABLE`."""

TREE_TABLE = """
| room | what lives there |
|---|---|
| `__init__.py`, `ground.py` | what all stand on |
| `house/` | ... |
| `roof.py` | ... |
| `house/attic/` | a room inside another, with a place of its own |

| `not/this` | another table |
"""


def built(place: Path, **changed: str) -> Path:
    """The made-up package with some files' text put in the place of their own."""
    package = place / "package"
    for name, text in (TREE | changed).items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    return package


def test_the_check_passes_a_sound_package(tmp_path: Path) -> None:
    rooms = read_table(TREE_TABLE)
    assert rooms == ["__init__.py", "ground.py", "house/", "roof.py", "house/attic/"]
    graph = imports_of(built(tmp_path))
    assert graph["house/hall.py"] == {"ground.py", "house/stairs.py"}
    assert graph["roof.py"] == {"house/hall.py"}
    assert (arrows_up(graph, rooms), circles(graph)) == ([], [])


@pytest.mark.parametrize(
    ("file", "text", "arrow"),
    [
        ("ground.py", "import package.roof", "ground.py -> roof.py"),
        ("ground.py", "def late():\n    from package import roof", "ground.py -> roof.py"),
        ("ground.py", "if TYPE_CHECKING:\n    import package.roof", "ground.py -> roof.py"),
        ("house/hall.py", "from package.roof import tile", "house/hall.py -> roof.py"),
        ("roof.py", "import package.house.attic.box as b", "roof.py -> house/attic/box.py"),
        ("shed.py", "", "shed.py is in no room"),
    ],
)
def test_the_check_names_an_arrow_up(tmp_path: Path, file: str, text: str, arrow: str) -> None:
    assert arrows_up(imports_of(built(tmp_path, **{file: text})), read_table(TREE_TABLE)) == [arrow]


def test_the_check_names_a_circle_of_files_however_long(tmp_path: Path) -> None:
    closing = "def late():\n    from package.house.attic import box"
    assert circles(imports_of(built(tmp_path, **{"house/stairs.py": closing}))) == [
        ["house/attic/box.py", "house/hall.py", "house/stairs.py", "roof.py"]
    ]
    for_types = "if TYPE_CHECKING:\n    from package.house.hall import Hall"
    assert circles(imports_of(built(tmp_path, **{"house/stairs.py": for_types}))) == [
        ["house/hall.py", "house/stairs.py"]
    ]


def test_the_check_asks_for_whole_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="relative import"):
        imports_of(built(tmp_path, **{"roof.py": "from . import ground"}))


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_a_light_module_loads_no_torch(module: str) -> None:
    code = f"import sys, {module}; print([n for n in ('torch', 'diffusers') if n in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


@pytest.mark.parametrize("words", [[], ["centroid"], ["mix"], ["explore"], ["invert"], ["stats"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    """What makes help answer at once, tested without a clock."""
    code = (
        f"import sys\nfrom latmix.cli import main\nsys.argv = ['latmix', *{words!r}, '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set(sys.modules) & {HEAVY!r}), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert " ".join(["Usage: latmix", *words]) in result.stdout
    assert result.stderr.strip().endswith("[]")


def test_only_the_terminal_ui_imports_textual() -> None:
    for path in PACKAGE.rglob("*.py"):
        if "tui" not in path.relative_to(PACKAGE).parts:
            assert "import textual" not in path.read_text()
            assert "from textual" not in path.read_text()
