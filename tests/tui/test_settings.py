"""Settings, models and prompts: written on a form, or found by name in the palette."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from latmix.mixing.grid import methods
from latmix.models.catalogue import CATALOGUE, built_in_folder
from latmix.tui.actions.choosing import take_model
from latmix.tui.dialogs.model import ModelDialog
from latmix.tui.dialogs.prompt import PromptDialog
from latmix.tui.dialogs.reading import NoticeDialog
from latmix.tui.dialogs.settings import SettingsDialog, parse_settings
from tests.support.driver import Driver, opened

WRITTEN = {
    "steps": "50",
    "guidance": "",
    "draft_steps": "8",
    "solver": "fixed-point",
    "inversion_guidance": "1",
    "size": "",
    "fit": "crop",
    "negative": "",
}


def write(driver: Driver, **values: str) -> None:
    screen = driver.app.screen
    assert isinstance(screen, SettingsDialog)
    for field in screen.fields:
        if field.name in values:
            field.value = values[field.name]


async def choose_in_palette(driver: Driver, text: str, hit: str) -> None:
    await driver.press("ctrl+p")
    await driver.type(text)
    await driver.until_shown(hit)
    await driver.press("down", "enter")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_settings_are_written_on_a_form_and_undone_together(
    folder: Path, size: tuple[int, int]
) -> None:
    async with opened(folder, size, choices={"size": (64, 64)}) as driver:
        before = driver.session.choices
        await driver.press("comma")
        await driver.until(lambda: isinstance(driver.app.screen, SettingsDialog))
        await driver.until_shown("inversion guidance", "64x64", "‹ ddim ›", "negative prompt")
        write(driver, guidance="4.5", draft_steps="5", size="32")
        await driver.press("down", "down", "down", "left")
        await driver.until_shown("‹ fixed-point ›", "Inverts each generating step exactly")
        await driver.press("enter")
        await driver.until(lambda: driver.session.choices != before)
        after = driver.session.choices
        assert (after.guidance, after.size, after.solver) == (4.5, (32, 32), "fixed-point")
        assert driver.session.draft_steps == 5
        assert "other latents" in driver.said
        await driver.press("u")
        assert driver.session.choices == before


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("steps", "many", "steps must be a whole number"),
        ("steps", "0", "steps must be at least 1"),
        ("draft_steps", "0", "draft steps must be at least 1"),
        ("guidance", "-1", "guidance must be a finite number"),
        ("guidance", "nan", "guidance must be a finite number"),
        ("inversion_guidance", "", "inversion guidance must be a number"),
        ("size", "3x4x5", "size must be 512 or 768x512"),
        ("size", "0", "positive"),
        ("solver", "euler?", "solver must be one of"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_settings(WRITTEN | {name: text})


def test_a_form_as_it_is_gives_the_defaults() -> None:
    values = parse_settings(WRITTEN)
    assert (values["steps"], values["guidance"], values["size"]) == (50, None, None)
    assert parse_settings(WRITTEN | {"size": "768X512"})["size"] == (768, 512)


async def test_a_wrong_setting_is_said_on_the_form_and_nothing_is_changed(folder: Path) -> None:
    async with opened(folder) as driver:
        before = driver.session.choices
        await driver.press("comma")
        await driver.until(lambda: isinstance(driver.app.screen, SettingsDialog))
        write(driver, size="huge")
        await driver.press("enter")
        await driver.until_shown("! size must be 512 or 768x512, not 'huge'.")
        await driver.press("escape")
        assert driver.session.choices == before


async def test_models_say_what_is_here_and_how_to_fetch_what_is_not(folder: Path) -> None:
    async with opened(folder, (120, 40)) as driver:
        await driver.until(lambda: driver.app.jobs.working_model)
        await driver.press("M")
        await driver.until(lambda: isinstance(driver.app.screen, ModelDialog))
        await driver.until_shown("mini", "here", *(entry.name for entry in CATALOGUE))
        names = [choice.name for choice in driver.app.screen.choices]
        driver.app.screen.query_one(OptionList).highlighted = names.index("sd15")
        await driver.until_shown("Not on this machine; latmix models pull sd15", "4.3 GB")
        await driver.press("enter")
        assert driver.app.clipboard == "latmix models pull sd15"
        assert isinstance(driver.app.screen, ModelDialog), "nothing is fetched from here"
        await driver.press("escape")
        assert driver.session.model == "mini"


async def test_another_model_is_taken_while_the_program_runs(folder: Path) -> None:
    async with opened(folder, (120, 40), count=2) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        await driver.press("M")
        await driver.until(lambda: isinstance(driver.app.screen, ModelDialog))
        place = str(built_in_folder())
        driver.app.screen.query_one("#model-name", Input).value = place
        driver.app.screen.query_one("#model-name", Input).focus()
        await driver.press("enter")
        await driver.until(lambda: driver.session.model == place)
        assert "The model is" in driver.said
        await driver.until(lambda: driver.session.is_measured)
        assert len(driver.events("invert")) == 1, "the same weights have the same latents"


async def test_a_model_that_cannot_be_used_leaves_the_old_one(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await driver.until(lambda: driver.app.jobs.working_model)
        take_model(driver.app, str(folder))
        await driver.until(lambda: isinstance(driver.app.screen, NoticeDialog))
        assert "model_index.json" in driver.app.screen.text
        await driver.press("escape", "g")
        await driver.until(lambda: driver.session.results)
        assert (driver.session.model, driver.app.jobs.working_model.model) == ("mini", "mini")


async def test_a_picture_can_have_a_prompt_of_its_own(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        await driver.press("j", "p")
        await driver.until(lambda: isinstance(driver.app.screen, PromptDialog))
        await driver.until_shown("For face-1.png alone, kept in face-1.txt")
        await driver.press("tab")
        await driver.type("a crab")
        await driver.press("enter")
        await driver.until(lambda: (folder / "face-1.txt").exists())
        assert (folder / "face-1.txt").read_text() == "a crab\n"
        await driver.until(lambda: driver.session.uninverted == [str(folder / "face-1.png")])
        await driver.press("g")
        await driver.until(lambda: driver.session.results)
        assert [row.prompt for row in driver.session.inversion.rows] == ["", "a crab"]
        await driver.press("p")
        await driver.until_shown("such file", "a crab")
        driver.app.screen.query_one("#own", Input).value = ""
        await driver.press("enter")
        await driver.until(lambda: not (folder / "face-1.txt").exists())
        await driver.until(lambda: driver.session.is_measured)


async def test_the_palette_finds_every_choice_by_name_and_takes_it_at_once(folder: Path) -> None:
    async with opened(folder, (120, 40)) as driver:
        await choose_in_palette(driver, "method lin/0", "Method lin/0")
        await driver.until(lambda: driver.session.choices.method == "lin/0")
        await choose_in_palette(driver, "steps 17", "Steps 17")
        await driver.until(lambda: driver.session.choices.steps == 17)
        await choose_in_palette(driver, "n 3", "N 3")
        await driver.until(lambda: len(driver.weights) == 3)
        await choose_in_palette(driver, "theme latmix-light", "Theme latmix-light")
        await driver.until(lambda: driver.app.theme == "latmix-light" == driver.session.theme)
        await choose_in_palette(driver, "fit stretch", "Fit stretch")
        await driver.until(lambda: driver.session.choices.fit == "stretch")
        offered = [name for name, _, _ in provider(driver)._offers()]
        assert {f"Method {method}" for method in methods()} <= set(offered)
        assert list(provider(driver)._numbers("steps 0")) == []
        assert list(provider(driver)._numbers("guidance 1.2.3")) == []


def provider(driver: Driver):  # type: ignore[no-untyped-def]
    from latmix.tui.keys.palette import ChoiceProvider

    return ChoiceProvider(driver.app.screen, None)
