"""Themes: the shipped ones load, the user's own win, and a broken one costs only itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from latmix.tui.themes import DEFAULT, PLAIN, load_themes, read_theme, theme_folders
from tests.tui.driver import opened


def test_the_shipped_themes_load_dark_first() -> None:
    themes = load_themes(theme_folders()[:1])
    assert themes.failed == ()
    names = [theme.name for theme in themes.loaded]
    assert names[0] == DEFAULT
    assert PLAIN in names
    assert len(names) == 5


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("primary = ", "Invalid value"),
        ('primary = "#12"', "a colour cannot be read"),
        ('primery = "#123456"', "did you mean primary?"),
        ('accent = "#123456"', "no primary colour"),
        ('primary = "red"\ndark = "yes"', "dark must be a bool"),
        ('primary = "red"\nvariables = 3', "variables must be a table"),
    ],
)
def test_a_broken_theme_says_what_is_wrong(tmp_path: Path, written: str, reason: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(written)
    with pytest.raises(ValueError, match=reason):
        read_theme(path)


async def test_a_users_theme_is_offered_and_a_broken_one_is_named(
    folder: Path, own_home: Path
) -> None:
    place = own_home / "themes"
    place.mkdir()
    (place / "mine.toml").write_text('primary = "#ff8800"')
    (place / "broken.toml").write_text("primary = 7")
    async with opened(folder, (120, 40)) as driver:
        assert "mine" in driver.app.available_themes
        await driver.until(lambda: driver.notices)
        [notice] = driver.notices
        assert "broken.toml" in notice
        assert "primary must be a str" in notice


async def test_every_shipped_theme_can_be_put_on_a_running_screen(folder: Path) -> None:
    async with opened(folder) as driver:
        for theme in driver.app.start.themes.loaded:
            driver.app.theme = theme.name
            await driver.until_shown("face-0.png")


async def test_the_configured_theme_wins_and_an_unknown_one_is_the_default(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATMIX_THEME", "nord")
    async with opened(folder) as driver:
        assert driver.app.theme == "nord"
    monkeypatch.setenv("LATMIX_THEME", "no-such-theme")
    async with opened(folder) as driver:
        assert driver.app.theme == DEFAULT


async def test_no_color_draws_without_any(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(folder) as driver:
        await driver.until(lambda: driver.app.pane.image)
        assert driver.app.theme == PLAIN
        assert "▀" not in driver.text
        await driver.press("t")
        assert "NO_COLOR" in driver.said
