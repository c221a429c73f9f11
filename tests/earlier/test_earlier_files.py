"""What an earlier version left on a disk is read, replayed and resumed by this one.

The files are in `files`; its README says which version made them, and `made.json` by which command
lines. Tests go through the command line and the explorer alone. What they need from inside stands
first: where the code moves, that is all there is to follow.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from PIL.PngImagePlugin import PngInfo
from typer.testing import CliRunner

from latmix.cli import app
from latmix.config import load_config
from latmix.session import saved
from latmix.session.machine import Machine
from latmix.tui import ExploreOptions, make_start
from latmix.tui.app import ExploreApp
from tests.support.driver import Driver, running


def run(*words: object) -> list[Any]:
    """What `latmix WORDS --json` says: the JSON of each line."""
    result = CliRunner().invoke(app, [str(word) for word in (*words, "--json")])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@asynccontextmanager
async def exploring(**options: Any) -> AsyncIterator[Driver]:
    """`latmix explore`, once the folder's pictures are shown."""
    start = make_start(ExploreOptions(machine=Machine("cpu"), **options), load_config())
    async with running(ExploreApp(start), (120, 40)) as driver:
        await driver.until(lambda: driver.session.pictures)
        yield driver


def state(driver: Driver) -> dict[str, Any]:
    """All that an explorer would save, as it was named by the version that made the files."""
    content: dict[str, Any] = json.loads(json.dumps(saved.content(driver.session)))
    return content


# The disk

FILES = Path(__file__).parent / "files"
MADE = json.loads((FILES / "made.json").read_text(encoding="ascii"))
SPACES, RESULTS, STUDIES = MADE["spaces"], MADE["results"], MADE["studies"]
EXPLORED = sorted(f"home/results/{path.name}" for path in FILES.glob("home/results/*.png"))

WHOLE = (0.6431678475730129, 0.21666666666666667, 0.14016548576032042)
"""Weights of a session, and of the CSV that was written from it."""

CPU = ("--device", "cpu")
"""The files were made on one; what suits the device is part of a latent's key."""

ROUNDING = 1
"""Of 255: how far another processor may move a pixel by what it rounds differently."""


@pytest.fixture
def disk(tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files, which we are in, with its home as ours."""
    place = tmp_path.resolve() / "disk"
    shutil.copytree(FILES, place)
    for pattern in ("sessions/*.json", "weights/*.csv", "command.txt", "config/config.toml"):
        for path in place.glob(pattern):
            path.write_bytes(path.read_bytes().replace(b"@ROOT@", os.fsencode(place)))
    for path in place.glob("home/results/*.png"):
        change_recipe(path, lambda text: text.replace("@ROOT@", str(place)))
    monkeypatch.chdir(place)
    monkeypatch.setenv("LATMIX_HOME", str(place / "home"))
    return place


def recipe(path: Path) -> dict[str, Any]:
    """The recipe inside a result."""
    with Image.open(path) as picture:
        found: dict[str, Any] = json.loads(picture.text["latmix"])
    return found


def change_recipe(path: Path, change: Callable[[str], str]) -> None:
    """Write a result with another text in it and the same pixels."""
    with Image.open(path) as picture:
        picture.load()
        entries = PngInfo()
        entries.add_itxt("latmix", change(picture.text["latmix"]))
    picture.save(path, pnginfo=entries)


def levels(one: Path, other: Path) -> int:
    """How far two pictures are apart, of 255."""
    left, right = (Image.open(path).convert("RGB") for path in (one, other))
    assert left.size == right.size
    return max(high for _, high in ImageChops.difference(left, right).getextrema())


def near(found: Any, kept: Any, tolerance: float = 1e-4) -> bool:
    """Whether JSON holds all that was there, numbers but for rounding."""
    if isinstance(kept, Mapping):
        return all(name in found and near(found[name], kept[name], tolerance) for name in kept)
    if isinstance(kept, Sequence) and not isinstance(kept, str):
        pairs = zip(found, kept, strict=True)
        return len(found) == len(kept) and all(near(*pair, tolerance) for pair in pairs)
    if isinstance(kept, float):
        return bool(found == pytest.approx(kept, rel=tolerance, abs=tolerance))
    return bool(found == kept)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """The files below a folder, and when they were written."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


# The store


def assert_nothing_is_inverted(words: Sequence[str]) -> None:
    [told] = run("invert", *words, *CPU)
    assert (told["inverted"], told["calls"], told["failures"]) == (0, 0, [])
    assert told["cached"] == len(told["images"]) > 0


@pytest.mark.parametrize("name", SPACES)
def test_stored_latents_are_found_with_their_companions_and_have_the_same_numbers(
    disk: Path, name: str
) -> None:
    before = contents(disk / "home")
    assert_nothing_is_inverted(SPACES[name]["words"])
    [told] = run("stats", *SPACES[name]["words"], *CPU)
    assert near(told["stats"], SPACES[name]["stats"])
    assert near(told["images"], SPACES[name]["images"])
    assert contents(disk / "home") == before


def test_the_store_is_sound_and_its_spaces_say_what_they_hold(disk: Path) -> None:
    [told] = run("store", "verify")
    rows = sum(space["rows"] for space in MADE["store"])
    assert told == {"rows": rows, "damaged": [], "unreadable": []}
    [told] = run("store", "size")
    assert near(told["spaces"], MADE["store"])
    companions = {space["settings"].get("companion") for space in told["spaces"]}
    assert companions == {None, "second", "unconditional"}


def test_a_latent_whose_companion_is_lost_is_inverted_again(disk: Path) -> None:
    pairs = [space for space in MADE["store"] if space["settings"].get("companion") == "second"]
    [lost] = [s["id"] for s in pairs if s["settings"]["inversion"]["size"] == [64, 64]]
    run("store", "prune", "--space", lost)
    [told] = run("invert", *SPACES["belm"]["words"], *CPU)
    assert (told["cached"], told["inverted"]) == (0, 3)


def test_files_that_are_joined_lose_no_latent(disk: Path) -> None:
    files = len(list(disk.glob("home/latents/v1/*/shards/*")))
    [told] = run("store", "compact")
    assert told["files"] > 0
    assert len(list(disk.glob("home/latents/v1/*/shards/*"))) == files - told["files"]
    for space in SPACES.values():
        assert_nothing_is_inverted(space["words"])


def test_further_latents_go_beside_the_earlier_ones(disk: Path) -> None:
    words = [*SPACES["joined"]["words"], "--recursive"]
    [told] = run("invert", *words, *CPU)
    assert (told["cached"], told["inverted"]) == (5, 2)
    assert_nothing_is_inverted(words)
    [told] = run("store", "size")
    assert [space["id"] for space in told["spaces"]] == [space["id"] for space in MADE["store"]]


def test_a_picture_that_was_moved_and_renamed_is_not_inverted_again(disk: Path) -> None:
    (disk / "elsewhere").mkdir()
    (disk / "pictures" / "blue.png").rename(disk / "elsewhere" / "sky.png")
    assert_nothing_is_inverted(["elsewhere", *SPACES["joined"]["words"][1:]])


def test_results_and_sheets_among_the_pictures_are_passed_over(disk: Path) -> None:
    for name in ("results/plain.png", "studies/sheet.png", EXPLORED[0]):
        shutil.copy(name, "pictures")
    [told] = run("invert", *SPACES["joined"]["words"], *CPU)
    assert (told["cached"], told["inverted"]) == (5, 0)


# Results


@pytest.mark.parametrize("name", [*RESULTS, *EXPLORED])
def test_a_result_is_made_again_from_stored_latents(disk: Path, name: str) -> None:
    [told] = run("replay", name, "-o", "again.png", *CPU)
    assert levels(disk / "again.png", disk / name) <= ROUNDING
    assert told["cached"] == len(recipe(disk / name)["images"])
    [rows] = run("diff", name, "again.png")
    assert [row for row in rows if not row["name"].startswith("version")] == []
    if name in RESULTS:
        assert near(told["stats"], RESULTS[name]["stats"])
        assert told["seed"] == RESULTS[name]["seed"]


def test_a_result_is_made_again_from_the_built_in_pictures(disk: Path) -> None:
    shutil.rmtree("home")
    shutil.rmtree("pictures")
    name = "results/prompted.png"
    [told] = run("replay", name, "-o", "again.png", *CPU)
    assert told["cached"] == 0
    assert levels(disk / "again.png", disk / name) <= 2 * ROUNDING


def test_a_result_is_made_again_from_pictures_that_were_moved_and_renamed(disk: Path) -> None:
    shutil.rmtree("home")
    Path("pictures/wide.png").rename("pictures/more/drawn.png")
    Path("pictures").rename("other pictures")
    name = "results/sized.png"
    [told] = run("replay", name, "other pictures", "-o", "again.png", *CPU)
    assert Path("other pictures/more/drawn.png") in [Path(i["path"]) for i in told["images"]]
    assert levels(disk / "again.png", disk / name) <= 2 * ROUNDING


@pytest.mark.parametrize("name", ["draft", "null-text", "random", "method slerp chm"])
def test_the_command_that_made_a_result_makes_it_now(disk: Path, name: str) -> None:
    earlier = sorted(path.name for path in disk.glob(f"results/{name}*.png"))
    Path("now").mkdir()
    told = run(*RESULTS[f"results/{earlier[0]}"]["words"], "-o", f"now/{name}.png", *CPU)
    assert [Path(line["output"]).name for line in told] == earlier
    for line, file in zip(told, earlier, strict=True):
        assert line["cached"] == len(line["images"])
        assert levels(disk / "now" / file, disk / "results" / file) <= ROUNDING


def test_what_differs_between_results_is_said(disk: Path) -> None:
    [rows] = run("diff", "results/plain.png", "results/draft.png")
    assert rows == [{"name": "generating: draft", "left": "–", "right": "2"}]
    [rows] = run("diff", "results/plain.png", "results/sized.png")
    assert {"name": "inverting: size", "left": "64 x 64", "right": "48 x 32"} in rows
    assert {"name": "weight of wide.png", "left": "–", "right": "0.200000"} in rows
    assert run("diff", "results/plain.png", "results/plain.png") == [[]]


# Weights


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("explorer", dict(zip(("blue", "pink", "purple"), WHOLE, strict=True))),
        ("by hand", {"soft green": 1 / 3.5, "more/blue": 2.5 / 3.5}),
        ("no header", {"pink": 0.25, "purple": 0.75}),
    ],
)
def test_a_csv_gives_its_weights(disk: Path, name: str, weights: dict[str, float]) -> None:
    words = ["--weights", f"weights/{name}.csv", "--recursive", "--steps", "3", *CPU]
    [told] = run("mix", "pictures", *words, "-o", "mixed.png")
    found = {image["path"]: image["weight"] for image in told["images"]}
    assert found == pytest.approx({f"pictures/{key}.png": w for key, w in weights.items()})
    assert told["cached"] == len(weights)


def test_the_command_that_the_explorer_copied_makes_its_result(disk: Path) -> None:
    [latmix, *words] = shlex.split(Path("command.txt").read_text())
    assert latmix == "latmix"
    [told] = run(*words, "-o", "copied.png")
    assert told["cached"] == 4
    result = disk / "home" / "results" / "pictures-nin-lp1-n4.png"
    assert levels(disk / "copied.png", result) <= ROUNDING


# Studies


def bring_here(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Let pictures be of the versions that this machine has; returns what is there then.

    A study keeps a picture only where the recipe in it has the present versions of latmix, Python,
    torch, diffusers and transformers.
    """
    run("replay", "results/plain.png", "-o", "here.png", *CPU)
    versions = recipe(Path("here.png"))["versions"]
    for path in folder.glob("*.png"):
        change_recipe(path, lambda text: json.dumps(json.loads(text) | {"versions": versions}))
    return contents(folder)


@pytest.mark.parametrize(
    ("name", "cells", "count"),
    [("sweep", "sheet-cells", 4), ("draws", "draws-cells", 2), ("quality", "quality-cells", 8)],
)
def test_a_study_goes_on_from_its_pictures(disk: Path, name: str, cells: str, count: int) -> None:
    before = bring_here(disk / "studies" / cells)
    words, earlier = STUDIES[name]["words"], STUDIES[name]["told"]
    [told] = run(*words, *CPU)
    assert (told["kept"], told["inverted"], len(before)) == (count, 0, count)
    assert contents(disk / "studies" / cells) == before
    about_the_run = {name: earlier[name] for name in ("kept", "cached", "inverted")}
    # Of so few pictures some figures are differences of nearly equal numbers.
    assert near(told | about_the_run, earlier, 0.02)


def test_one_more_method_costs_its_own_pictures_only(disk: Path) -> None:
    cells = disk / "studies" / "sheet-cells"
    before = bring_here(cells)
    words = ["lin/0," + w if w == "fix/0,nin/lp:1" else w for w in STUDIES["sweep"]["words"]]
    [told] = run(*words, *CPU)
    assert (told["kept"], len(told["cells"])) == (4, 6)
    after = contents(cells)
    assert {path: after[path] for path in before} == before


def test_a_study_of_quality_says_that_nothing_is_left_to_do(disk: Path) -> None:
    bring_here(disk / "studies" / "quality-cells")
    [told] = run(*STUDIES["quality"]["words"], "--dry-run", *CPU)
    assert (told["to_invert"], told["to_generate"], told["cells"]) == (0, 0, 8)


def test_a_study_of_inversion_goes_on_from_its_trials(disk: Path) -> None:
    cells = disk / "studies" / "inversion-cells"
    before = contents(cells)
    [told] = run(*STUDIES["inversion"]["words"], *CPU)
    assert told["kept"] == len(before) == 4
    assert contents(cells) == before
    assert near(told | {"kept": 0}, STUDIES["inversion"]["told"])


def test_a_study_of_the_recipe_finds_its_samples_and_their_latents(disk: Path) -> None:
    samples, latents = contents(disk / "home" / "samples"), contents(disk / "home" / "latents")
    [told] = run(*STUDIES["recipe"]["words"], *CPU)
    earlier = STUDIES["recipe"]["told"]
    assert contents(disk / "home" / "samples") == samples
    assert contents(disk / "home" / "latents") == latents
    assert near(told["series"], earlier["series"])


# The explorer


def kept_session(disk: Path, name: str) -> dict[str, Any]:
    """Let a session be the last one of the home; returns what is in its file."""
    text = (disk / "sessions" / f"{name}.json").read_text(encoding="ascii")
    (disk / "home" / "session.json").write_text(text, encoding="ascii")
    content: dict[str, Any] = json.loads(text)
    return content


async def test_a_session_is_resumed_with_all_that_was_kept(disk: Path) -> None:
    kept = kept_session(disk, "whole")
    assert all(kept[name] for name in kept), "a session that tests everything"
    blue, pink, purple = (str(disk / "pictures" / f"{n}.png") for n in ("blue", "pink", "purple"))
    async with exploring() as driver:
        await driver.until_shown("3 pictures mixed by fix/lp:1", "pictures-nin-lp1-n4.png")
        found = state(driver)
        assert near(found, kept, 1e-12)
        assert (found["folder"], found["recursive"]) == (str(disk / "pictures"), True)
        assert dict(found["choices"]["mixture"]) == dict(
            zip((blue, pink, purple), WHOLE, strict=True)
        )
        assert found["pinned"] == [pink]
        assert [mark["method"] for mark in found["bookmarks"]] == ["nin/lp:1", "fix/lp:1"]
        assert driver.app.theme == "latmix-ember"
        assert driver.app.history.has_focus
        assert driver.app.pictures.current == Path(pink)
        await driver.until(lambda: driver.session.is_measured)
        assert driver.session.inversion.inverted == 0
        await driver.until_idle()


async def test_a_resumed_session_goes_on(disk: Path) -> None:
    kept = kept_session(disk, "whole")
    async with exploring() as driver:
        await driver.until(lambda: driver.session.is_measured)
        await driver.press("w", "right_square_bracket")
        assert driver.said.startswith("Bookmark 1 of 2")
        first = kept["bookmarks"][0]
        assert dict(state(driver)["choices"]["mixture"]) == dict(first["mixture"])
        assert state(driver)["choices"]["method"] == "nin/lp:1"
        await driver.until(lambda: driver.session.is_measured)
        await driver.press("D", "g")
        await driver.until(lambda: len(driver.session.results) == 3)
        await driver.until_idle()
        assert driver.session.inversion.inverted == 0
        await driver.press("greater_than_sign", "less_than_sign", "less_than_sign", "r")
        await driver.until(lambda: driver.said.startswith("Back to what pictures-nin-lp1-n4.png"))
        assert driver.weights == pytest.approx([weight for _, weight in first["mixture"]])


async def test_a_session_of_another_model_size_and_solver_is_resumed(disk: Path) -> None:
    kept = kept_session(disk, "sized")
    async with exploring() as driver:
        await driver.until(lambda: driver.session.is_measured)
        assert driver.session.inversion.inverted == 0
        found = state(driver)
        assert near(found, kept, 1e-12)
        assert (found["model"], found["choices"]["size"]) == ("mini-flow", [48, 32])
        assert driver.app.jobs.working_model.model == "mini-flow"


async def test_a_session_of_before_there_were_pins_bookmarks_and_marks_is_resumed(
    disk: Path,
) -> None:
    kept = kept_session(disk, "whole")
    later = ("pinned", "bookmarks", "shown", "marked", "compared", "draft_steps", "drafts")
    for name in (*later, "view", "arranged"):
        del kept[name]
    (disk / "home" / "session.json").write_text(json.dumps(kept), encoding="ascii")
    async with exploring() as driver:
        found = state(driver)
        assert near(found, kept, 1e-12)
        assert found["pinned"] == found["bookmarks"] == found["marked"] == []


async def test_a_session_without_a_folder_keeps_its_theme(disk: Path) -> None:
    kept_session(disk, "no folder")
    async with exploring(folder=disk / "pictures", fresh=False) as driver:
        assert driver.app.theme == "latmix-paper"


async def test_every_setting_of_the_configuration_holds(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LATMIX_HOME")
    monkeypatch.setenv("LATMIX_CONFIG", str(disk / "config" / "config.toml"))
    [told] = run("doctor")
    assert (told["home"], told["model"], told["problems"]) == (
        str(disk / "home"),
        "mini-flow",
        [],
    )
    [told] = run("keys")
    keys = {row["id"]: row["keys"] for row in told["keys"]}
    assert (keys["job.generate"], keys["strip.mark"], told["failed"]) == ("G,f5", "m", [])
    [told] = run("themes")
    assert "mine" in told["themes"]
    assert told["failed"] == []
    choices = {"steps": 3, "solver": "midpoint"}
    async with exploring(folder=disk / "pictures", count=2, choices=choices) as driver:
        assert driver.app.theme == "mine"
        assert driver.session.draft_steps == 3
        await driver.until(lambda: driver.session.is_measured)
        await driver.press("f5")
        await driver.until(lambda: driver.session.results)
        await driver.until_idle()
        assert driver.session.inversion.inverted == 0
        assert driver.session.results[0].parent == disk / "home" / "results"
        assert driver.app.jobs.working_model.model == "mini-flow"
