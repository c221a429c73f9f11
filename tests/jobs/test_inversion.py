"""Pictures to stored latents: which are inverted, which are looked up, and which are left out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from latmix.errors import PictureError
from latmix.images.files import content_hash
from latmix.jobs.inversion import Inversion, InversionRules, invert_pictures
from latmix.jobs.pictures import PictureRow, look_up
from latmix.jobs.recall import recall_pictures
from latmix.jobs.workbench import Workbench
from latmix.models.protocol import Model
from latmix.sampling.generators import drained
from latmix.sampling.settings import InversionSettings
from latmix.session.machine import Machine
from latmix.store.latents import LatentStore

STEPS = InversionSettings((32, 32), steps=2, solver="ddim")


@pytest.fixture
def bench(mini: Model, tmp_path: Path) -> Workbench:
    made = Workbench(mini.source, LatentStore(tmp_path / "home"), Machine("cpu", batch=2))
    made._model = mini
    return made


@pytest.fixture
def broken(folder: Path) -> Path:
    """A file among the pictures, first in their order, that is none."""
    path = folder / "a.png"
    path.write_bytes(b"no picture")
    return path


def inverted(bench: Workbench, paths: list[Path], rules: InversionRules) -> Inversion:
    return drained(invert_pictures(bench, paths, STEPS, "an emoji", rules))


def test_what_cannot_be_read_gives_its_place_to_the_next(
    bench: Workbench, folder: Path, broken: Path
) -> None:
    paths = sorted(folder.iterdir())
    found = inverted(bench, paths, InversionRules(count=3))
    assert [row.path for row in found.rows] == paths[1:4]
    assert [failure.path for failure in found.failures] == [broken]
    assert "a.png" in found.failures[0].reason
    assert found.read(found.rows).noise.shape[0] == 3


def test_a_strict_job_raises_the_first_failure(
    bench: Workbench, folder: Path, broken: Path
) -> None:
    with pytest.raises(PictureError, match=r"a\.png"):
        inverted(bench, sorted(folder.iterdir()), InversionRules(strict=True))


def test_each_picture_is_inverted_once_unless_all_are_to_be_made_again(
    bench: Workbench, folder: Path
) -> None:
    paths = sorted(folder.iterdir())[:3]
    copy = folder / "copy.png"
    copy.write_bytes(paths[0].read_bytes())
    first = inverted(bench, [*paths, copy], InversionRules())
    assert (first.inverted, first.cached, len(first.rows)) == (3, 0, 4)
    kept = inverted(bench, paths, InversionRules())
    assert (kept.inverted, kept.cached, kept.calls) == (0, 3, 0)
    again = inverted(bench, paths, InversionRules(resume=False))
    assert (again.inverted, again.cached) == (3, 0)
    before, after = (each.space.read(each.keys) for each in (kept, again))
    torch.testing.assert_close(before, after)


def test_recalling_makes_nothing_and_finds_what_is_stored(bench: Workbench, folder: Path) -> None:
    paths = [folder / "gone.png", *sorted(folder.iterdir())]
    made = inverted(bench, paths[1:3], InversionRules())
    found = drained(recall_pictures(bench, paths, STEPS, "an emoji"))
    assert found.rows == made.rows and found.cached == 2
    assert (found.calls, found.inverted) == (0, 0)
    assert [failure.path for failure in found.failures] == paths[:1]
    other = drained(recall_pictures(bench, paths, STEPS, "another prompt"))
    assert not other.rows


def test_a_picture_is_known_by_its_content_and_the_prompt_beside_it(folder: Path) -> None:
    path = sorted(folder.iterdir())[0]
    template = "{name} in {folder}"
    known = PictureRow(path, content_hash(path), f"{path.stem} in {folder.name}")
    assert look_up(path, template) == known
    path.with_suffix(".txt").write_text("a word of its own")
    changed = look_up(path, template)
    assert isinstance(changed, PictureRow)
    assert changed.prompt == "a word of its own" and changed.key != known.key
    assert look_up(known, template) is known
