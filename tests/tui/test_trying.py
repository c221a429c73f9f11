"""Trying things out: methods side by side, a sweep over N, drafts, and requests that wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from latmix.jobs.engine import JobCancelled
from latmix.session import saved
from latmix.tui.actions.making import sweep_counts
from latmix.tui.dialogs.method import MethodDialog, MethodGrid
from latmix.tui.pictures.variants import VariantsScreen
from tests.support.driver import Driver, opened

SLOW = {"steps": 20}


async def drafts(driver: Driver, key: str) -> VariantsScreen:
    """Press the key and wait for the drafts it asks for."""
    await driver.press(key)
    await driver.until(lambda: isinstance(driver.app.screen, VariantsScreen))
    screen = driver.app.screen
    assert isinstance(screen, VariantsScreen)
    await driver.until(lambda: screen.variants is not None)
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_c_makes_drafts_by_six_methods_and_enter_takes_one(
    folder: Path, size: tuple[int, int]
) -> None:
    async with opened(folder, size, count=3, choices={"method": "coh/m"}) as driver:
        screen = await drafts(driver, "c")
        assert driver.finished("invert"), "what needs it is inverted first"
        names = [wanted.method for wanted in screen.wanted]
        assert len(names) == 6
        assert names[0] == "coh/m"
        assert "nin/chm" in names
        assert driver.session.results == [], "drafts are no results"
        for name, variant in zip(names, screen.variants.variants, strict=True):
            statistics = driver.session.latents.statistics(name)
            assert statistics is not None
            assert variant.statistics.norm_ratio == pytest.approx(statistics.norm_ratio, rel=1e-4)
        await driver.until_shown(*names, "3 pictures by 6 methods", "enter takes it")
        assert driver.text.count(" norm ") == 6
        await driver.press("j", "l", "h", "h", "enter")
        await driver.until(lambda: driver.session.choices.method == names[2])
        assert f"Method {names[2]}" in driver.said
        await driver.press("u")
        assert driver.session.choices.method == "coh/m"


async def test_the_methods_to_compare_are_marked_on_the_grid_and_kept(folder: Path) -> None:
    async with opened(folder, count=2, choices={"method": "nin/chm"}) as driver:
        await drafts(driver, "c")
        await driver.press("m")
        await driver.until(lambda: isinstance(driver.app.screen, MethodDialog))
        grid = driver.app.screen.query_one(MethodGrid)
        assert len(grid.marked) == 6
        await driver.press("left", "space")
        assert len(grid.marked) == 6, "no more than six can be seen side by side"
        for name in grid.marked[1:]:
            grid.marked.remove(name)
        await driver.press("space", "enter")
        await driver.until(lambda: isinstance(driver.app.screen, VariantsScreen))
        await driver.until(lambda: len(driver.app.screen.wanted) == 2)
        await driver.until(lambda: driver.app.screen.variants)
        assert driver.session.compared == ("nin/chm", "nin/m")
        await driver.press("escape")
        await driver.until(lambda: not isinstance(driver.app.screen, VariantsScreen))
        assert saved.content(driver.session)["compared"] == ["nin/chm", "nin/m"]


async def test_a_sweep_over_n_shows_the_first_pictures_and_enter_takes_that_many(
    folder: Path,
) -> None:
    async with opened(folder, (120, 40), count=6) as driver:
        screen = await drafts(driver, "S")
        assert [one.name for one in screen.wanted] == ["N 2", "N 4", "N 6"]
        assert screen.cursor == 2, "the mixture as it is"
        effective = [one.statistics.effective_count for one in screen.variants.variants]
        assert effective == pytest.approx([2, 4, 6])
        await driver.press("left", "enter")
        await driver.until(lambda: len(driver.weights) == 4)
        await driver.press("s", "S")
        await driver.until(lambda: isinstance(driver.app.screen, VariantsScreen))


def test_a_sweep_doubles_and_ends_with_all() -> None:
    assert sweep_counts(2) == [2]
    assert sweep_counts(8) == [2, 4, 8]
    assert sweep_counts(10) == [2, 4, 8, 10]
    assert sweep_counts(3000)[-2:] == [2048, 3000]
    assert len(sweep_counts(3000)) == 8


async def test_escape_leaves_the_comparison_and_stops_it(folder: Path) -> None:
    async with opened(folder, count=3, choices=SLOW) as driver:
        driver.session.draft_steps = 20
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        await driver.press("c", "escape")
        await driver.until_idle()
        assert not isinstance(driver.app.screen, VariantsScreen)
        assert [type(event) for event in driver.events("compare")] == [JobCancelled]


@pytest.mark.parametrize("solver", ["belm", "null-text"])
async def test_a_comparison_asked_for_under_new_settings_waits_for_their_latents(
    folder: Path, solver: str
) -> None:
    async with opened(folder, count=2, choices={"steps": 40}) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.progresses("invert"))
        assert driver.session.choose(solver=solver, steps=2)
        screen = await drafts(driver, "c")
        assert len(driver.events("invert")) == 2, "under the old settings, and under the new"
        assert all(variant.picture for variant in screen.variants.variants)
        assert driver.session.inversion.settings.solver == solver


async def test_one_picture_can_be_compared_but_not_swept(folder: Path) -> None:
    async with opened(folder, count=1) as driver:
        await driver.press("S")
        assert "at least two pictures" in driver.said
        screen = await drafts(driver, "c")
        assert all(variant.picture for variant in screen.variants.variants)


async def test_drafts_follow_every_edit_and_are_no_results(folder: Path) -> None:
    async with opened(folder, (120, 40), count=2, choices={"steps": 9}) as driver:
        await driver.press("D", "i")
        await driver.until(lambda: driver.session.is_measured)
        await driver.until_shown("draft, 8 steps; g makes it in full")
        assert driver.app.pane.path is None
        before = driver.app.pane.image
        await driver.press("L", "L")
        await driver.until(lambda: driver.app.pane.image not in (None, before))
        await driver.until_shown("draft, 8 steps")
        assert driver.session.results == []
        await driver.press("g")
        await driver.until(lambda: driver.session.results)
        await driver.until_shown("mixture: ")
        assert not driver.app.work.is_busy
        await driver.press("D", "l")
        assert "draft" not in driver.lines[12]
        assert saved.content(driver.session)["drafts"] is False


async def test_a_newer_request_takes_the_place_of_one_that_waits(folder: Path) -> None:
    async with opened(folder, count=2, choices=SLOW) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        for key in ("g", "l", "g", "l", "g"):
            driver.app.simulate_key(key)
        await driver.until(lambda: len(driver.session.results) == 2)
        await driver.until_idle()
        assert len(driver.events("generate")) == 2
        last = driver.app.choices_of[driver.session.results[-1]]
        assert last.mixture == driver.session.mixture


async def test_escape_also_stops_what_waits(folder: Path) -> None:
    async with opened(folder, count=2, choices=SLOW) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        for key in ("g", "g", "escape"):
            driver.app.simulate_key(key)
        await driver.until(lambda: driver.events("generate"))
        await driver.until_idle()
        await driver.pilot.pause()
        assert [type(event) for event in driver.events("generate")] == [JobCancelled]
