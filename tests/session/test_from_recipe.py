"""Going back to a result brings what was asked for, not what it came to with that model."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from latmix.errors import StoreError
from latmix.models.source import find_model
from latmix.results.differences import recipe_differences
from latmix.results.recipes import Ingredient, Recipe
from latmix.session import from_recipe
from latmix.session.choices import Choices


def written(choices: Choices) -> Recipe:
    """The recipe of a result of these choices, read back from its JSON."""
    inverting, generating = choices.for_model(find_model("mini"))
    recipe = Recipe(
        images=(Ingredient("a.png", "0" * 64, 1.0, ""),),
        method=choices.method,
        model={"name": "mini", "fingerprint": "", "dtype": "float32"},
        inversion=inverting.as_json(),
        generation=generating.as_json(),
        prompt=choices.prompt,
        seed=choices.seed,
        asked=from_recipe.unlike(choices, inverting, generating),
    )
    return Recipe.from_json(json.loads(json.dumps(recipe.as_json())))


def test_guidance_that_was_left_to_the_model_stays_left_to_it() -> None:
    recipe = written(Choices(seed=3, method="fix/0", prompt="a {name}"))
    assert recipe.generation["guidance"] == find_model("mini").guidance
    assert from_recipe.choices(recipe) == Choices(seed=3, method="fix/0", prompt="a {name}")


def test_a_size_that_was_left_to_the_model_stays_left_to_it() -> None:
    recipe = written(Choices(guidance=2.0))
    assert recipe.inversion["size"] == list(find_model("mini").size)
    assert from_recipe.choices(recipe).size is None
    assert from_recipe.choices(written(Choices(size=(32, 64)))).size == (32, 64)


def test_a_fitted_result_follows_the_guidance_that_is_chosen_next() -> None:
    recipe = written(Choices(solver="null-text", guidance=3.0))
    assert recipe.inversion["guidance"] == 3.0
    back = from_recipe.choices(recipe)
    assert (back.inversion_guidance, back.guidance) == (1.0, 3.0)
    again, _ = replace(back, guidance=5.0).for_model(find_model("mini"))
    assert again.guidance == 5.0


def test_an_older_recipe_restores_what_it_holds() -> None:
    recipe = replace(written(Choices(solver="null-text", draft=4)), asked={})
    back, model = from_recipe.choices(recipe), find_model("mini")
    assert (back.guidance, back.size) == (model.guidance, model.size)
    assert (back.inversion_guidance, back.draft) == (model.guidance, 4)


def test_what_was_asked_is_no_difference_between_results() -> None:
    left, right = written(Choices()), written(Choices(guidance=find_model("mini").guidance))
    assert left.asked != right.asked
    assert recipe_differences(left, right) == ()


def test_settings_that_came_as_asked_are_not_written_twice() -> None:
    asked = Choices(guidance=2.0, size=(64, 64))
    assert "asked" not in written(asked).as_json()


@pytest.mark.parametrize(
    "asked", [{"guidance": "much"}, {"size": [0, 4]}, {"steps": None}, {"colour": "red"}]
)
def test_a_damaged_recipe_is_a_sentence(asked: dict[str, object]) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        from_recipe.choices(replace(written(Choices()), asked=asked))
