"""Pictures are fitted to the size that a model takes."""

from __future__ import annotations

import pytest
from PIL import Image

from latmix.images.fits import FITS
from latmix.images.pixels import fit_picture
from tests.support.picture_files import BLACK, BLUE, GREEN, RED, clear_and, noise, pixels


def halves(width: int, height: int) -> Image.Image:
    """Red on the left, blue on the right, a green stripe in the middle of it all."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    image.paste(GREEN, (width // 2 - 10, 0, width // 2 + 10, height))
    return image


def test_crop_covers_the_frame_and_keeps_the_centre() -> None:
    got = fit_picture(halves(400, 100), (50, 50), "crop")
    assert got.size == (50, 50)
    assert [got.getpixel((x, 25)) for x in (2, 25, 47)] == [RED, GREEN, BLUE]
    assert fit_picture(Image.new("RGB", (30, 90), RED), (50, 50)).getpixel((0, 0)) == RED


def test_pad_lies_inside_and_fills_with_the_background() -> None:
    got = fit_picture(Image.new("RGB", (400, 100), RED), (40, 40), "pad", background=BLUE)
    assert [got.getpixel((20, y)) for y in (0, 14, 15, 24, 25, 39)] == [
        BLUE, BLUE, RED, RED, BLUE, BLUE,
    ]  # fmt: skip


def test_stretch_keeps_all_of_the_picture() -> None:
    got = fit_picture(halves(400, 100), (40, 40), "stretch")
    assert [got.getpixel((x, 20)) for x in (0, 39)] == [RED, BLUE]


def test_shrinking_averages_every_pixel() -> None:
    board = Image.new("L", (512, 512))
    board.putdata([255 * ((x + y) % 2) for y in range(512) for x in range(512)])
    assert {level in range(125, 131) for level, *_ in pixels(fit_picture(board, (64, 64)))} == {
        True
    }


@pytest.mark.parametrize("fit", FITS)
def test_a_picture_of_the_right_size_is_returned_as_it_is(fit: str) -> None:
    image = noise((64, 48))
    assert fit_picture(image, (64, 48), fit) is image


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1, 100_000), (100_000, 1), (1, 1), (3, 7)])
@pytest.mark.parametrize("target", [(64, 64), (1, 1), (500, 3)])
def test_extreme_proportions_fit(fit: str, size: tuple[int, int], target: tuple[int, int]) -> None:
    got = fit_picture(Image.new("RGB", size, RED), target, fit, background=RED)
    assert got.size == target
    assert got.getcolors() == [(target[0] * target[1], RED)]


def test_a_picture_of_another_mode_is_made_rgb_first() -> None:
    got = fit_picture(clear_and(RED, "RGBA"), (3, 1), background=BLACK)
    assert pixels(got) == [BLACK, (128, 0, 0), RED]


@pytest.mark.parametrize(
    ("size", "fit", "message"),
    [
        ((0, 5), "crop", "size is 0 x 5"),
        ((5, -1), "pad", "size is 5 x -1"),
        ((5, 5), "tile", "fit is 'tile', must be one of crop, pad, stretch"),
    ],
)
def test_a_fit_that_cannot_be_is_refused(size: tuple[int, int], fit: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_picture(noise(), size, fit)
    with pytest.raises(ValueError, match="image is 0 x 5"):
        fit_picture(Image.new("RGB", (0, 5)), (5, 5))
