"""Results made before: what differs between two, copies elsewhere, and the way back to one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from latmix.errors import LatmixError, StoreError
from latmix.images.files import content_hash
from latmix.jobs.screen import history
from latmix.jobs.screen.pictures import read_for_screen, read_small
from latmix.mixing.grid import DEFAULT_METHOD
from latmix.results.differences import ABSENT, recipe_differences
from latmix.results.recipes import Ingredient, Recipe, read_recipe, write_result
from latmix.sampling.generators import drained
from latmix.sampling.settings import GenerationSettings, InversionSettings


def recipe_of(*pictures: Path, weights: tuple[float, ...] = ()) -> Recipe:
    weights = weights or (1 / len(pictures),) * len(pictures)
    return Recipe(
        images=tuple(
            Ingredient(str(path), content_hash(path), weight, "")
            for path, weight in zip(pictures, weights, strict=True)
        ),
        method=DEFAULT_METHOD,
        model={"name": "mini", "fingerprint": "0" * 32, "dtype": "float32"},
        inversion=InversionSettings((64, 64)).as_json(),
        generation=GenerationSettings(3.0).as_json(),
        versions={"latmix": "0.1.0"},
    )


@pytest.fixture
def pictures(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def result(path: Path, recipe: Recipe) -> Path:
    write_result(Image.new("RGB", (64, 64), "teal"), path, recipe)
    return path


def test_a_recipe_does_not_differ_from_itself(pictures: list[Path]) -> None:
    assert recipe_differences(recipe_of(*pictures), recipe_of(*pictures)) == ()


def test_everything_that_differs_is_named_and_nothing_else(pictures: list[Path]) -> None:
    left = recipe_of(*pictures[:3], weights=(0.5, 0.3, 0.2))
    right = replace(
        recipe_of(*pictures[1:3], weights=(0.8, 0.2)),
        method="fix/0",
        prompt="a face",
        seed=3,
        generation=GenerationSettings(7.5, steps=20).as_json(),
    )
    rows = {row.name: (row.left, row.right) for row in recipe_differences(left, right)}
    assert rows == {
        "method": (DEFAULT_METHOD, "fix/0"),
        "pictures": ("3", "2"),
        "prompt": ("", "a face"),
        "seed": (ABSENT, "3"),
        "weight of face-0.png": ("0.500000", ABSENT),
        "weight of face-1.png": ("0.300000", "0.800000"),
        "generating: guidance": ("3", "7.5"),
        "generating: steps": ("50", "20"),
    }


def test_a_moved_picture_is_the_same_picture(pictures: list[Path], tmp_path: Path) -> None:
    before = recipe_of(*pictures[:2])
    moved = pictures[0].rename(tmp_path / "moved.png")
    assert recipe_differences(before, recipe_of(moved, pictures[1])) == ()


def test_copies_keep_the_recipe_and_nothing_is_written_over(
    pictures: list[Path], tmp_path: Path
) -> None:
    one = result(tmp_path / "a.png", recipe_of(*pictures[:2]))
    place = tmp_path / "new" / "place"
    assert drained(history.export_results([one], place)) == [place / "a.png"]
    assert drained(history.export_results([one], place)) == [place / "a.png"]
    other = result(tmp_path / "a.png", recipe_of(*pictures[:3]))
    assert drained(history.export_results([other], place)) == [place / "a-2.png"]
    assert len(read_recipe(place / "a.png").images) == 2
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        drained(history.export_results([one], tmp_path / "file"))


def test_a_result_leads_back_to_its_pictures_wherever_they_are_now(
    pictures: list[Path], tmp_path: Path
) -> None:
    made = result(tmp_path / "a.png", recipe_of(*pictures[:2], weights=(0.25, 0.75)))
    there = history.revisit(made, [])
    assert there.weights == {pictures[0]: 0.25, pictures[1]: 0.75}
    assert (there.folder, there.recursive) == (pictures[0].parent, False)
    assert (there.choices.method, there.choices.size) == (DEFAULT_METHOD, (64, 64))
    moved = tmp_path / "moved.png"
    pictures[0].rename(moved)
    with pytest.raises(StoreError, match=r"1 picture of a.png cannot be found"):
        history.revisit(made, [])
    there = history.revisit(made, [moved])
    assert there.weights == {moved: 0.25, pictures[1]: 0.75}
    assert (there.folder, there.recursive) == (tmp_path, True)


def test_what_is_no_result_is_said(pictures: list[Path], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="carries no recipe"):
        history.revisit(pictures[0], [])


def test_pictures_for_a_screen_are_small(pictures: list[Path], tmp_path: Path) -> None:
    assert max(read_for_screen(pictures[0]).size) <= 320
    with pytest.raises(LatmixError):
        read_for_screen(tmp_path / "gone.png")
    assert read_small(tmp_path / "gone.png", 48) is None
    small = read_small(pictures[0], 48)
    assert small is not None
    assert max(small.size) == 48
