"""Settings and the folders of this machine: where latents, results and the session are kept.

Settings are read from `config.toml` in the configuration folder; environment variables win over it.

| setting | environment   | what                                                    |
|---------|---------------|---------------------------------------------------------|
| model   | LATMIX_MODEL  | what `--model auto` stands for when it is on this machine |
| theme   | LATMIX_THEME  | the terminal UI's theme                                 |
| home    | LATMIX_HOME   | the folder of latents, results, session and log         |
| draft_steps | -         | steps of a draft in the terminal UI                     |
| preview_vae | LATMIX_PREVIEW_VAE | a tiny autoencoder for previews                |
| keys    | -             | a table of the terminal UI's keys, by binding id        |
| -       | LATMIX_CONFIG | the configuration file itself                           |
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from latmix.disk import read_file
from latmix.errors import LatmixError
from latmix.names import display_name
from latmix.session.fields import TEXT, Kind
from latmix.session.session import SETTINGS


class _Keys(Kind):
    """Texts by name."""

    what = 'a table of texts, such as "job.generate" = "G"'

    def accepts(self, value: object) -> bool:
        return isinstance(value, dict) and all(isinstance(keys, str) for keys in value.values())


KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("model", "theme", "home"), TEXT),
    **{row.name: row.kind for row in SETTINGS},
    "preview_vae": TEXT,
    "keys": _Keys(),
}
"""What can be written, and what it must be."""


@dataclass(frozen=True)
class Config:
    """The user's settings.

    Attributes:
        model: a catalogue name, hub id or folder; empty for the built-in model.
        theme: a theme's name; empty for the last one chosen.
        home: the folder everything latmix keeps is in.
        preview_vae: a tiny autoencoder for previews; empty for the model's own, if it is here.
        settings: of a session by name (`session.SETTINGS`), for every start.
        keys: of the terminal UI, by binding id; it checks them itself.
    """

    model: str
    theme: str
    home: Path
    preview_vae: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def results(self) -> Path:
        """Pictures made in the terminal UI."""
        return self.home / "results"

    @property
    def session_file(self) -> Path:
        return self.home / "session.json"

    @property
    def log_file(self) -> Path:
        return self.home / "latmix.log"


def config_file() -> Path:
    """The configuration file, there or not."""
    import platformdirs

    named = os.environ.get("LATMIX_CONFIG")
    return Path(named) if named else Path(platformdirs.user_config_dir("latmix")) / "config.toml"


def load_config() -> Config:
    """The settings of this machine.

    Raises:
        LatmixError: the configuration file is not TOML, or names a setting that does not exist.
    """
    import platformdirs

    path = config_file()
    written = _read(path)
    for name, value in written.items():
        if name not in KINDS:
            near = difflib.get_close_matches(name, KINDS, n=1)
            raise LatmixError(
                f"{display_name(path)} has a setting that does not exist: {display_name(name)}.",
                f"Did you mean {near[0]}?" if near else f"Known: {', '.join(KINDS)}.",
            )
        if not (kind := KINDS[name]).accepts(value):
            raise LatmixError(f"{display_name(path)}: {name} must be {kind.what}.")

    def setting(name: str, default: str = "") -> str:
        return os.environ.get(f"LATMIX_{name.upper()}") or str(written.get(name, default))

    home = setting("home", platformdirs.user_data_dir("latmix"))
    model, theme, vae = setting("model"), setting("theme"), setting("preview_vae")
    settings = {row.name: written[row.name] for row in SETTINGS if row.name in written}
    place, keys = Path(home).expanduser(), written.get("keys", {})
    return Config(model, theme, place, vae, keys, settings)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_file(path).decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LatmixError(
            f"The configuration file {display_name(path)} cannot be read: {error}.",
            "Mend it or move it away.",
        ) from error
