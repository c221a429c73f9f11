"""Pictures in half-blocks keep their shape, fill the room they have, and need no colour."""

from __future__ import annotations

import pytest
from PIL import Image
from rich.style import Style

from latmix.tui.pictures.thumbnail import fitted_size, half_blocks, shades

PLAIN = Style()
RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.mark.parametrize(
    ("size", "columns", "rows", "fitted"),
    [
        ((64, 64), 40, 13, (26, 26)),
        ((64, 64), 20, 40, (20, 20)),
        ((200, 100), 40, 40, (40, 20)),
        ((100, 200), 40, 10, (10, 20)),
        ((10_000, 1), 40, 10, (40, 1)),
        ((1, 10_000), 40, 10, (1, 20)),
    ],
)
def test_a_picture_keeps_its_shape_and_is_as_large_as_there_is_room(
    size: tuple[int, int], columns: int, rows: int, fitted: tuple[int, int]
) -> None:
    assert fitted_size(size, columns, rows) == fitted


@pytest.mark.parametrize("size", [(64, 64), (7, 5), (300, 3), (3, 300), (1, 1)])
@pytest.mark.parametrize("room", [(40, 13), (1, 1), (2, 30), (80, 2)])
def test_strips_fill_the_room_exactly(size: tuple[int, int], room: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, RED)
    for draw in (half_blocks, shades):
        strips = draw(picture, *room, PLAIN)
        assert [strip.cell_length for strip in strips] == [room[0]] * room[1]


def test_a_cell_shows_one_pixel_over_another() -> None:
    picture = Image.new("RGB", (1, 2), RED)
    picture.putpixel((0, 1), BLUE)
    [strip] = half_blocks(picture, 1, 1, PLAIN)
    [cell] = [segment for segment in strip if segment.text]
    assert cell.text == "▀"
    assert cell.style is not None
    assert cell.style.color is not None
    assert cell.style.bgcolor is not None
    assert cell.style.color.get_truecolor() == RED
    assert cell.style.bgcolor.get_truecolor() == BLUE


def test_without_colours_brightness_is_told_by_characters() -> None:
    picture = Image.new("L", (4, 2), 255)
    picture.putpixel((0, 0), 0)
    picture.putpixel((0, 1), 0)
    [strip] = shades(picture, 4, 1, PLAIN)
    assert strip.text == " @@@"
    assert all(segment.style == PLAIN for segment in strip)
