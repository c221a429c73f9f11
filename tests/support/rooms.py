"""The rooms of a package: the table that CONTRIBUTING.md holds, and what breaks it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

Graph = Mapping[str, set[str]]
"""By file, relative to the package: the files of the package that it imports, wherever in it."""


def read_table(text: str) -> list[str]:
    """The rooms of the table that begins "| room |", from the ground up.

    A room is a file or a folder of the package; of two that hold a file, it is in the inner one.
    """
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("| room |"):
            break
    found: list[str] = []
    for line in lines:
        if not line.startswith("|"):
            break
        found += re.findall(r"`([\w./]+)`", line.split("|")[1])
    return found


def imports_of(package: Path) -> Graph:
    """The graph of a package's files. An import for types alone counts like any other."""
    files = {_module(package, path): path for path in sorted(package.rglob("*.py"))}
    graph: dict[str, set[str]] = {}
    for path in files.values():
        wanted = _imported(path.read_text(encoding="utf-8"), package.name)
        found = {next((files[n] for n in names if n in files), None) for names in wanted}
        graph[_shown(package, path)] = {_shown(package, f) for f in found if f and f != path}
    return graph


def arrows_up(graph: Graph, rooms: list[str]) -> list[str]:
    """Each import of a room that stands later in the table, "importer -> imported", and each file
    that is in no room."""
    found = []
    for file, imported in graph.items():
        own = _room(file, rooms)
        if own is None:
            found.append(f"{file} is in no room")
            continue
        for other in sorted(imported):
            room = _room(other, rooms)
            if room is not None and rooms.index(room) > rooms.index(own):
                found.append(f"{file} -> {other}")
    return found


def circles(graph: Graph) -> list[list[str]]:
    """The files that import each other, through others or not: each circle sorted."""
    reached = {file: _reached(graph, file) for file in graph}
    rings = {
        tuple(sorted(other for other in reached[file] if file in reached[other]))
        for file in graph
        if file in reached[file]
    }
    return [list(ring) for ring in sorted(rings)]


def _reached(graph: Graph, start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for other in graph[waiting.pop()]:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _imported(text: str, package: str) -> Iterator[list[str]]:
    """For each import of the package: the modules that it may mean, the likeliest first."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from ([name] for name in names if name.split(".")[0] == package)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"a relative import, of {node.module}: name the whole module.")
            module = node.module or ""
            if module.split(".")[0] == package:
                yield from ([f"{module}.{alias.name}", module] for alias in node.names)


def _module(package: Path, path: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _shown(package: Path, path: Path) -> str:
    return path.relative_to(package).as_posix()


def _room(file: str, rooms: list[str]) -> str | None:
    holding = [room for room in rooms if file == room or file.startswith(f"{room.rstrip('/')}/")]
    return max(holding, key=len, default=None)
