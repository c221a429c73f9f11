"""Themes: the shipped ones load, the user's own win, and a broken one costs only itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme

from latmix.tui.terminal.themes import DEFAULT, PLAIN, load_themes, read_theme, theme_folders
from tests.support.captures import contrast
from tests.support.driver import opened


def test_the_shipped_themes_load_dark_first() -> None:
    themes = load_themes(theme_folders()[:1])
    assert themes.failed == ()
    names = [theme.name for theme in themes.loaded]
    assert names[0] == DEFAULT
    assert PLAIN in names
    assert len(names) == 10


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast(Color.parse("#000"), Color.parse("#fff")) == pytest.approx(21)
    assert contrast(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.01)


SHIPPED = [theme for theme in load_themes(theme_folders()[:1]).loaded if not theme.ansi]
TEXTS = ("foreground", "primary", "accent", "success", "warning", "error")


@pytest.mark.parametrize("theme", SHIPPED, ids=lambda theme: theme.name)
def test_every_text_of_a_theme_can_be_read_on_everything_behind_it(theme: Theme) -> None:
    """The AA level of WCAG 2.2; AAA where high contrast is promised."""
    least = 7.0 if theme.name == "latmix-contrast" else 4.5
    colours = theme.to_color_system().generate()
    texts = [*TEXTS, "footer-key-foreground"]
    pairs = [(text, behind) for text in texts for behind in ("background", "surface", "panel")]
    pairs.append(("block-cursor-foreground", "block-cursor-background"))
    for text, behind in pairs:
        ratio = contrast(Color.parse(colours[text]), Color.parse(colours[behind]))
        assert ratio >= least, f"{text} on {behind} has {ratio:.2f}"


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
