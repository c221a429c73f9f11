"""Settings: the file, the environment over it, and what is said of a file that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from latmix.config import load_config
from latmix.errors import LatmixError


def write(home: Path, text: str) -> None:
    (home / "config.toml").write_text(text)


def test_without_a_file_there_are_defaults(own_home: Path) -> None:
    config = load_config()
    assert (config.model, config.theme, config.home) == ("", "", own_home)
    assert config.results == own_home / "results"


def test_the_environment_wins_over_the_file(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(own_home, 'model = "sd15"\ntheme = "light"\nhome = "/somewhere/else"\n')
    assert (load_config().model, load_config().home) == ("sd15", own_home)
    monkeypatch.setenv("LATMIX_MODEL", "mini")
    monkeypatch.delenv("LATMIX_HOME")
    assert (load_config().model, load_config().theme) == ("mini", "light")
    assert load_config().home == Path("/somewhere/else")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model = ", "cannot be read"),
        ("modle = 'mini'", "Did you mean model"),
        ("colour = 'red'", "Known: model, theme, home"),
        ("model = 3", "text in quotes"),
        ("\x00", "cannot be read"),
    ],
)
def test_a_wrong_file_is_a_sentence(own_home: Path, text: str, said: str) -> None:
    write(own_home, text)
    with pytest.raises(LatmixError, match=said):
        load_config()


def test_a_file_that_is_not_text_is_a_sentence(own_home: Path) -> None:
    (own_home / "config.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(LatmixError, match="cannot be read"):
        load_config()
