"""Themes: the shipped ones, the user's own, and why one could not be loaded.

A theme is a TOML file with the fields of `textual.theme.Theme`; only `primary` is needed, the name
is the file's unless it says otherwise. Read once, before the screen is up.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from textual.color import ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

import latmix
from latmix.config import config_file
from latmix.disk import read_file
from latmix.names import display_name

DEFAULT = "latmix-dark"
PLAIN = "latmix-plain"
"""The theme without colours, for NO_COLOR."""

ORDER = [
    "dark",
    "light",
    "night",
    "ember",
    "paper",
    "clear-dark",
    "clear-light",
    "contrast",
    "terminal",
    "plain",
]

_KINDS = {"dark": bool, "ansi": bool, "luminosity_spread": float, "text_alpha": float}


@dataclass(frozen=True)
class Themes:
    """What was loaded, in the order it is shown, and a sentence for each file that was not."""

    loaded: tuple[Theme, ...]
    failed: tuple[str, ...]

    def find(self, *names: str) -> str:
        """The first of the names that is a theme; the default where none is."""
        known = {theme.name for theme in self.loaded} | set(BUILTIN_THEMES)
        return next((name for name in names if name in known), DEFAULT)


def theme_folders() -> list[Path]:
    """Where themes are looked for: the shipped ones, then the user's, which win by name."""
    package = Path(latmix.__file__).parent
    shipped = package / "themes"
    # An editable install keeps them at the top of the checkout.
    folder = shipped if shipped.is_dir() else package.parent / "themes"
    return [folder, config_file().parent / "themes"]


def load_themes(folders: Iterable[Path] | None = None) -> Themes:
    """All themes of some folders; a bad file costs only itself."""
    loaded: dict[str, Theme] = {}
    failed: list[str] = []
    for folder in theme_folders() if folders is None else folders:
        for path in sorted(folder.glob("*.toml"), key=_rank):
            try:
                theme = read_theme(path)
            except (OSError, ValueError) as error:
                failed.append(f"The theme {display_name(path)} cannot be used: {error}")
            else:
                loaded[theme.name] = theme
    if DEFAULT not in loaded:
        # Without its files the program still opens, in the look nearest to its own.
        loaded[DEFAULT] = Theme(name=DEFAULT, primary="#7aa2f7", accent="#e0af68")
    return Themes(tuple(loaded.values()), tuple(failed))


def read_theme(path: Path) -> Theme:
    """The theme in a file.

    Raises:
        ValueError: it is not TOML, or has an unknown field, a wrong kind of value or a bad colour.
        OSError: it cannot be read.
    """
    try:
        written = tomllib.loads(read_file(path).decode())
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text.") from error
    known = [field.name for field in fields(Theme)]
    for name, value in written.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
            raise ValueError(f"it has a field {display_name(name)!r}; {advice}")
        _check(name, value)
    if "primary" not in written:
        raise ValueError("it has no primary colour.")
    theme = Theme(**({"name": path.stem} | written))
    try:
        theme.to_color_system().generate()
    except ColorParseError as error:
        raise ValueError(f"a colour cannot be read: {error}") from error
    return theme


def _check(name: str, value: object) -> None:
    if name == "variables":
        if not (isinstance(value, dict) and all(isinstance(v, str) for v in value.values())):
            raise ValueError("variables must be a table of texts.")
        return
    kind = _KINDS.get(name, str)
    if not isinstance(value, kind) and not (kind is float and isinstance(value, int)):
        raise ValueError(f"{name} must be a {kind.__name__}, not {value!r}.")


def _rank(path: Path) -> tuple[int, str]:
    """The order of the shipped themes; others follow by name."""
    at = ORDER.index(path.stem) if path.stem in ORDER else len(ORDER)
    return at, path.name
