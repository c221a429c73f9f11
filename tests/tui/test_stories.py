"""Whole stories, as a user lives them, on the built-in model: from the folder to the next start."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from latmix.config import load_config
from latmix.mixing.grid import DEFAULT_METHOD
from latmix.models.catalogue import built_in_folder
from latmix.results.recipes import read_recipe
from latmix.session import saved
from latmix.session.machine import Machine
from latmix.tui.actions.choosing import take_model
from latmix.tui.dialogs.folder import FolderDialog, FolderTree
from latmix.tui.dialogs.reading import NoticeDialog
from latmix.tui.pictures.variants import VariantsScreen
from tests.support.driver import Driver, exploring, opened


async def until_made(driver: Driver, count: int) -> None:
    """So many results are there, and nothing is at work."""
    await driver.until(lambda: len(driver.session.results) == count)
    await driver.until_idle()


async def choose_folder(driver: Driver, folder: Path) -> None:
    """In the tree, whose branches are read as they are opened."""
    await driver.until(lambda: isinstance(driver.app.screen, FolderDialog))
    await driver.until_shown(f"{folder.name}  6 pictures")
    tree = driver.app.screen.query_one(FolderTree)
    while tree.cursor_node is None or getattr(tree.cursor_node.data, "path", None) != folder:
        await driver.press("j")
    await driver.press("enter")
    await driver.until(lambda: driver.session.folder == folder)


async def test_from_an_empty_start_to_a_picture_and_on_at_the_next_start(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen.png"
    viewer = tmp_path / "viewer"
    viewer.write_text(f'#!/bin/sh\ncp "$1" {seen}\n')
    viewer.chmod(0o755)
    monkeypatch.setenv("LATMIX_VIEWER", str(viewer))
    monkeypatch.chdir(tmp_path)
    async with exploring(None, (100, 30)) as driver:
        await choose_folder(driver, folder)
        await driver.press("N", "3", "enter")
        await driver.until(lambda: len(driver.weights) == 3)
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        await driver.press("L", "j", "0")
        weights = pytest.approx([0.4333333 / 0.7166667, 0, 0.2833333 / 0.7166667])
        assert driver.weights == weights
        await driver.press("c")
        await driver.until(lambda: isinstance(driver.app.screen, VariantsScreen))
        await driver.until(lambda: driver.app.screen.variants)
        await driver.press("right", "enter")
        assert driver.session.choices.method == "fix/chm"
        await driver.press("g")
        await until_made(driver, 1)
        [made] = driver.session.results
        assert read_recipe(made).method == "fix/chm"
        await driver.press("o")
        await driver.until(lambda: driver.finished("view"))
        assert seen.read_bytes() == made.read_bytes()
        await driver.press("u", "u")
        assert driver.session.choices.method == DEFAULT_METHOD
        assert driver.weights == pytest.approx([0.4333333, 0.2833333, 0.2833333])
        await driver.press("ctrl+y", "q")
    assert not driver.app.is_running
    # What `run` does once the screen is down.
    saved.save(driver.session, load_config().session_file)
    async with opened(None, (100, 30)) as driver:
        assert driver.session.folder == folder
        assert driver.weights == weights
        assert driver.app.pictures.current == folder / "face-1.png"
        assert driver.session.results == [made]
        await driver.until_shown(made.name, "Resumed: 3 pictures mixed")
        await driver.until(lambda: driver.session.is_measured)
        assert not driver.events("invert"), "what was inverted is found, not made again"


async def test_a_model_that_fails_at_work_costs_nothing_and_another_goes_on(
    folder: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(built_in_folder("mini"), broken)
    for weights in broken.rglob("*.safetensors"):
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    async with opened(folder, count=2, model=str(broken)) as driver:
        await driver.press("s", "g")
        await driver.until(lambda: isinstance(driver.app.screen, NoticeDialog))
        said = driver.app.screen.text
        assert "broken" in said or ".safetensors" in said
        await driver.press("escape")
        await driver.until_idle()
        assert driver.weights == [1, 0]
        assert driver.said.startswith("!")
        take_model(driver.app, "mini")
        await driver.until(lambda: driver.app.jobs.working_model and driver.session.model == "mini")
        await driver.press("equals_sign", "g")
        await until_made(driver, 1)
        assert driver.weights == [0.5, 0.5]


async def test_stopped_in_the_middle_it_goes_on_where_it_was(folder: Path) -> None:
    async with opened(
        folder, count=4, machine=Machine("cpu", batch=1), choices={"steps": 12}
    ) as driver:
        await driver.press("g")
        await driver.until(lambda: driver.app.work.progress and driver.app.work.progress.done)
        await driver.press("escape", "l")
        await driver.until_idle()
        assert not driver.session.results
        await driver.press("g")
        await until_made(driver, 1)
        assert driver.session.inversion.cached >= 1
        assert driver.session.inversion.cached + driver.session.inversion.inverted == 4
        assert read_recipe(driver.session.results[0]).images[0].weight == driver.weights[0]
