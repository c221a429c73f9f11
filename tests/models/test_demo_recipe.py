"""The recipe of the built-in demo pictures: the table, the artwork sets, the framing."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from latmix import demo
from latmix.models.mini.train.demo import frame, read_table, set_of
from latmix.models.mini.train.packages import SETS

ROOM = Path(demo.__file__).parent
PICTURES = sorted(ROOM.glob("*/*.png"))


def test_the_pictures_lie_in_the_named_folders_and_follow_the_table() -> None:
    found = {path.relative_to(ROOM).as_posix() for path in PICTURES}
    assert found == read_table().keys()
    assert {path.parent.name for path in PICTURES} == set(demo.names())


def test_every_picture_belongs_to_an_artwork_set_that_the_notice_attributes() -> None:
    notice = (ROOM / "NOTICE.md").read_text(encoding="utf-8")
    used = {set_of(path.name) for path in PICTURES}
    assert used == set(SETS)
    for name in used:
        artwork = SETS[name]
        row = next(line for line in notice.splitlines() if line.startswith(f"| `*-{name}.png`"))
        assert artwork.licence in row
        assert f"`{artwork.package}` {artwork.version}" in row


def test_an_artwork_fills_the_frame_within_an_even_margin_on_white() -> None:
    artwork = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    artwork.paste((200, 0, 0, 255), (4, 20, 44, 40))
    framed = frame(artwork)
    red = framed.getchannel("G").point(lambda value: 255 if value < 128 else 0).getbbox()
    assert red == (6, 35, 122, 93)
