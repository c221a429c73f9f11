"""Pictures are found in the order a person expects."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from latmix.errors import LatmixError
from latmix.images.folders import SUFFIXES, find_pictures, natural_key
from tests.support.picture_files import bound_by_permissions, stored


def test_a_folder_gives_its_pictures_in_natural_order(tmp_path: Path) -> None:
    names = ["2.png", "10.PNG", "a (2).jpg", "A (10).JPEG", "b.webp", "c.bmp", "d.gif", "e.tif"]
    names += ["f.tiff", "g.avif"]
    for name in [*reversed(names), "notes.txt", ".hidden.png", "png", "model.safetensors"]:
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in find_pictures([tmp_path])] == names


def test_natural_order_is_the_same_whatever_order_the_system_lists() -> None:
    names = ["a.png", "A.png", "a.PNG", "a1.png", "a01.png", "a1.jpg", "a 1.png", "1", "", "\udce9"]
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


def test_named_files_keep_their_order_whatever_their_suffix(tmp_path: Path) -> None:
    paths = [stored(tmp_path, b"", name) for name in ("z.png", "a.data", "-m.png", "[b].png")]
    assert find_pictures(paths) == paths
    assert find_pictures(str(path) for path in paths) == paths


def test_a_single_name_is_not_taken_for_its_letters(tmp_path: Path) -> None:
    path = stored(tmp_path, b"", "a.png")
    assert find_pictures(str(path)) == [path]


def test_the_same_path_named_twice_appears_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    one, two = stored(tmp_path, b"", "1.png"), stored(tmp_path, b"", "2.png")
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = find_pictures([two, "2.png", "./sub/../1.png", tmp_path, "link"])
    assert [path.resolve() for path in found] == [two, one]
    assert found[0] == two


def test_two_links_to_one_picture_are_two_pictures(tmp_path: Path) -> None:
    one = stored(tmp_path, b"", "1.png")
    (tmp_path / "2.png").symlink_to(one)
    assert len(find_pictures([tmp_path])) == 2


def test_recursing_takes_each_folder_before_its_subfolders(tmp_path: Path) -> None:
    names = ["z.png", "2/1.png", "2/a/1.png", "10/1.png"]
    for name in [*names, ".git/1.png"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_pictures([tmp_path], recursive=True) == [tmp_path / name for name in names]
    assert find_pictures([tmp_path]) == [tmp_path / "z.png"]


def test_links_to_folders_are_followed_only_when_named(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    stored(inside, b"", "1.png")
    (inside / "loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(inside)
    (inside / "nowhere.png").symlink_to(tmp_path / "missing")
    (inside / "circle.png").symlink_to(inside / "circle.png")
    assert find_pictures([tmp_path], recursive=True) == [inside / "1.png"]
    assert find_pictures([tmp_path / "again"]) == [tmp_path / "again" / "1.png"]


def test_names_of_any_bytes_are_found(tmp_path: Path) -> None:
    names = [b"a b.png", b"a\nb.png", b"\x1b[2J.png", b"[red].png", b"caf\xe9.png", b"-x.png"]
    names.append(b"n" * 251 + b".png")
    for name in names:
        (tmp_path / os.fsdecode(name)).touch()
    assert {os.fsencode(path.name) for path in find_pictures([tmp_path])} == set(names)


def test_ten_thousand_files_are_found_by_listing_their_folder_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10_000):
        os.close(os.open(tmp_path / f"photo ({number}).jpg", os.O_CREAT))
    asked: list[object] = []
    with monkeypatch.context() as patch:
        for name in ("stat", "lstat", "open", "scandir"):
            function = getattr(os, name)

            def watched(path: object, *rest: Any, function: Any = function, **how: Any) -> Any:
                asked.append(path)
                return function(path, *rest, **how)

            patch.setattr(os, name, watched)
        found = find_pictures([tmp_path])
    assert [path.stem for path in found] == [f"photo ({number})" for number in range(10_000)]
    assert 0 < len(asked) < 20


def test_nothing_named_is_nothing_found() -> None:
    assert find_pictures([]) == []


@pytest.mark.timeout(10)
def test_paths_that_are_no_pictures_are_refused_in_a_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    stored(tmp_path, b"", "file.png")
    (tmp_path / "empty").mkdir()
    expected = {
        "missing\x1b[2J.png": r"missing\x1b[2J.png: there is no such file or folder.",
        "pipe.png": "pipe.png is a pipe, not a file.",
        "circle": "circle: it is a link that leads back to itself.",
        "file.png/more": "a part of its path is a file, not a folder.",
        "n" * 256: "its name is too long.",
        "nul\0.png": r"nul\x00.png: no file can have that name.",
        "empty": "There are no pictures in",
    }
    for name, message in expected.items():
        with pytest.raises(LatmixError) as caught:
            find_pictures([tmp_path / name])
        assert message in caught.value.message
        assert caught.value.hint
    with pytest.raises(LatmixError, match="name of a picture or folder is empty"):
        find_pictures([""])
    with pytest.raises(LatmixError, match="is a device"):
        find_pictures(["/dev/null"])


def test_a_folder_without_pictures_says_what_was_looked_for_or_where_they_are(
    tmp_path: Path,
) -> None:
    stored(tmp_path, b"", "notes.txt")
    with pytest.raises(LatmixError) as caught:
        find_pictures([tmp_path])
    assert all(suffix in caught.value.hint for suffix in SUFFIXES)
    for name in ("cats", "cats/young"):
        (tmp_path / name).mkdir()
        stored(tmp_path / name, b"", "1.png")
    with pytest.raises(LatmixError, match="subfolders hold 2 pictures: pass --recursive"):
        find_pictures([tmp_path])


def test_a_folder_that_may_not_be_listed_is_named() -> None:
    with bound_by_permissions() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o000)
        for given_path, recursive in ((closed, False), (folder, True)):
            with pytest.raises(LatmixError, match="closed: permission denied"):
                find_pictures([given_path], recursive=recursive)
        with pytest.raises(LatmixError, match="There are no pictures in"):
            find_pictures([folder])
        closed.chmod(0o700)
