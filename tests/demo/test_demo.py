"""The built-in demo pictures: complete, uniform, small, and attributed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from latmix import demo
from latmix.errors import UsageError

ROOM = Path(demo.__file__).parent
PICTURES = sorted(ROOM.glob("*/*.png"))


@pytest.mark.parametrize("name", demo.names())
def test_every_folder_has_enough_opaque_rgb_pictures_of_one_size(name: str) -> None:
    pictures = sorted(demo.folder(name).iterdir())
    assert len(pictures) >= 24
    for path in pictures:
        with Image.open(path) as picture:
            picture.load()
            assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (128, 128)), path
            assert "transparency" not in picture.info, path
            assert picture.getpixel((0, 0)) == (255, 255, 255), path


def test_all_pictures_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in PICTURES) <= 2_500_000


def test_no_two_pictures_have_the_same_content() -> None:
    first: dict[bytes, Path] = {}
    for path in PICTURES:
        with Image.open(path) as picture:
            twin = first.setdefault(picture.tobytes(), path)
        assert twin == path


@pytest.mark.parametrize("call", [demo.folder, demo.prompt])
def test_an_unknown_name_is_answered_with_the_nearest_and_with_all(
    call: Callable[[str], object],
) -> None:
    with pytest.raises(UsageError) as caught:
        call("Animal")
    assert '"Animal"' in caught.value.message
    assert 'mean "animals"' in caught.value.hint
    assert all(name in caught.value.hint for name in demo.names())


def test_a_name_like_no_other_is_answered_with_the_list_alone() -> None:
    with pytest.raises(UsageError) as caught:
        demo.folder("../..")
    assert "mean" not in caught.value.hint
    assert all(name in caught.value.hint for name in demo.names())


def test_every_demo_has_a_prompt_in_the_words_of_the_built_in_model() -> None:
    prompts = [demo.prompt(name) for name in demo.names()]
    assert prompts[:2] == ["an emoji of a face", "an emoji of an animal"]
    assert all(prompt.startswith("an emoji of ") for prompt in prompts)


def test_listing_the_demos_imports_neither_pillow_nor_torch() -> None:
    program = (
        "import sys; from latmix import demo; demo.prompt(demo.names()[0]); "
        "print({'PIL', 'torch'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert answer.stdout.strip() == "set()"
