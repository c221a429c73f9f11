"""The session: choices with undo, what is saved and resumed, and the command that says it all."""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from latmix.errors import StoreError
from latmix.jobs.inversion import Inversion, InversionRules, invert_pictures
from latmix.jobs.measurement import measure
from latmix.jobs.workbench import Workbench
from latmix.mixing.grid import DEFAULT_METHOD
from latmix.mixing.mixture import Mixture
from latmix.models.source import find_model
from latmix.sampling.generators import drained
from latmix.sampling.settings import InversionSettings
from latmix.session import saved, shell
from latmix.session.choices import Choices
from latmix.session.machine import Machine
from latmix.session.session import Session
from latmix.store.latents import LatentStore

PICTURES = [Path(f"pictures/{name}.png") for name in "abcdef"]


@pytest.fixture
def session() -> Session:
    opened = Session()
    opened.open_folder(Path("pictures"), PICTURES, 4)
    return opened


def weights(session: Session) -> tuple[float, ...]:
    assert session.mixture is not None
    return session.mixture.weights


def test_a_folder_opens_with_an_equal_mixture_of_the_first_n(session: Session) -> None:
    assert session.mixture == Mixture.equal(str(path) for path in PICTURES[:4])
    assert not session.undo()


def test_undo_and_redo_walk_over_every_choice(session: Session) -> None:
    mixture = session.mixture
    assert mixture is not None
    session.choose(mixture=mixture.solo("pictures/a.png"))
    session.choose(method="fix/0")
    session.choose(prompt="an emoji")
    assert session.undo()
    assert session.undo()
    assert (session.choices.method, session.choices.prompt) == (DEFAULT_METHOD, "")
    assert weights(session) == (1, 0, 0, 0)
    assert session.redo()
    assert session.choices.method == "fix/0"
    session.choose(method="lin/0")
    assert not session.redo()


def test_a_choice_that_changes_nothing_is_not_undone(session: Session) -> None:
    assert not session.choose(method=DEFAULT_METHOD)
    assert not session.undo()


def test_an_unknown_method_is_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="nin/chm"):
        session.choose(method="nin/cmh")


def test_a_session_is_resumed_as_it_was(session: Session, tmp_path: Path) -> None:
    result = tmp_path / "result.png"
    result.touch()
    mixture = session.mixture
    assert mixture is not None
    session.choose(mixture=mixture.set("pictures/b.png", 0.5), method="coh/m", size=(32, 64))
    session.results = [result, tmp_path / "gone.png"]
    saved.save(session, tmp_path / "session.json")
    again = Session()
    assert saved.resume(again, tmp_path / "session.json")
    again.keep_existing(PICTURES, 4)
    assert again.choices == session.choices
    assert (again.folder, again.results) == (Path("pictures"), [result])


def test_pictures_that_are_gone_leave_a_resumed_mixture(session: Session, tmp_path: Path) -> None:
    saved.save(session, tmp_path / "session.json")
    again = Session()
    saved.resume(again, tmp_path / "session.json")
    again.keep_existing(PICTURES[2:], 4)
    assert again.mixture == Mixture.equal(["pictures/c.png", "pictures/d.png"])


def test_there_is_nothing_to_resume_at_first(tmp_path: Path) -> None:
    assert not saved.resume(Session(), tmp_path / "session.json")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"latmix": 1}', '{"latmix": 1, "folder": "x", "choices": 3}']
)
def test_a_damaged_session_says_how_to_start_afresh(tmp_path: Path, text: str) -> None:
    (tmp_path / "session.json").write_text(text)
    with pytest.raises(StoreError, match="--fresh"):
        saved.resume(Session(), tmp_path / "session.json")


def test_the_command_of_random_weights_names_their_seed(session: Session) -> None:
    for seed in range(50):
        session.randomise(seed)
        assert f"--random 1 --seed {seed}" in shell.command(session)


def test_the_command_of_an_equal_mixture_is_a_centroid(session: Session) -> None:
    command = f"latmix centroid pictures -n 4 --model auto --method {DEFAULT_METHOD}"
    assert shell.command(session).startswith(command)


def test_the_command_of_other_weights_names_them(session: Session) -> None:
    mixture = session.mixture
    assert mixture is not None
    session.choose(mixture=mixture.solo("pictures/c.png"), steps=20, prompt="it's")
    words = shlex.split(shell.command(session))
    assert words[:2] == ["latmix", "mix"]
    assert "pictures/c.png=1" in words
    assert words[words.index("--prompt") + 1] == "it's"
    assert words[words.index("--steps") + 1] == "20"


def inverted(folder: Path, home: Path, count: int) -> Inversion:
    bench = Workbench(find_model("mini"), LatentStore(home), Machine("cpu"))
    paths = sorted(folder.iterdir())
    settings = InversionSettings((32, 32), steps=2)
    return drained(invert_pictures(bench, paths, settings, "", InversionRules(count)))


def test_statistics_are_live_once_the_pictures_are_inverted(folder: Path, own_home: Path) -> None:
    session = Session()
    session.open_folder(folder, sorted(folder.iterdir()), 3)
    assert session.latents.statistics() is None
    assert len(session.uninverted) == 3
    inversion = inverted(folder, own_home, 3)
    session.measured(inversion, drained(measure(inversion)))
    assert session.is_measured
    before = session.latents.statistics()
    mixture = session.mixture
    assert before is not None
    assert mixture is not None
    session.choose(mixture=mixture.solo(mixture.keys[0]))
    after = session.latents.statistics()
    assert after is not None
    assert (round(before.effective_count), round(after.effective_count)) == (3, 1)
    session.choose(mixture=mixture.nudge(str(session.pictures[4]), 0.2))
    assert session.latents.statistics() is None
    assert session.uninverted == [str(session.pictures[4])]


def test_pictures_have_influence_once_they_are_inverted(folder: Path, own_home: Path) -> None:
    session = Session()
    session.open_folder(folder, sorted(folder.iterdir()), 3)
    assert session.latents.influences() == {}
    inversion = inverted(folder, own_home, 3)
    session.measured(inversion, drained(measure(inversion)))
    mixture = session.mixture
    assert mixture is not None
    assert session.latents.influences().keys() == set(mixture.keys)
    assert all(0 < value < 2 for value in session.latents.influences().values())
    session.choose(mixture=mixture.solo(mixture.keys[1]))
    assert list(session.latents.influences().values()) == [0, math.inf, 0]


def test_another_prompt_needs_other_latents(folder: Path, own_home: Path) -> None:
    session = Session()
    session.open_folder(folder, sorted(folder.iterdir()), 2)
    inversion = inverted(folder, own_home, 2)
    session.measured(inversion, drained(measure(inversion)))
    session.choose(prompt="an emoji of a face")
    assert len(session.uninverted) == 2
    assert session.undo()
    assert session.is_measured, "an undo finds them again, with no job"
    session.model = "mini-flow"
    assert len(session.uninverted) == 2
    session.model = "auto"
    session.prompts_changed()
    assert len(session.uninverted) == 2


def test_pictures_that_cannot_be_read_leave_the_mixture(folder: Path, own_home: Path) -> None:
    (folder / "face-1.png").write_text("no picture")
    session = Session()
    session.open_folder(folder, sorted(folder.iterdir()), 3)
    inversion = inverted(folder, own_home, 2)
    session.measured(inversion, drained(measure(inversion)))
    assert session.mixture is not None
    assert [Path(key).name for key in session.mixture.keys] == ["face-0.png", "face-2.png"]
    assert "face-1.png" in session.failures[str(folder / "face-1.png")]


def test_the_saved_session_is_plain_json(session: Session, tmp_path: Path) -> None:
    saved.save(session, tmp_path / "session.json")
    content = json.loads((tmp_path / "session.json").read_text())
    assert ["pictures/a.png", 0.25] in content["choices"]["mixture"]


def test_a_pin_is_undone_saved_and_resumed(session: Session, tmp_path: Path) -> None:
    assert session.pin("pictures/b.png")
    session.set_weight("pictures/a.png", 1.0)
    assert weights(session) == pytest.approx((0.75, 0.25, 0, 0))
    saved.save(session, tmp_path / "session.json")
    again = Session()
    assert saved.resume(again, tmp_path / "session.json")
    again.keep_existing(PICTURES, 4)
    assert again.mixture == session.mixture
    assert session.undo()
    assert session.undo()
    assert session.mixture == Mixture.equal(str(path) for path in PICTURES[:4])


def test_bookmarks_bring_weights_method_and_prompt_back_and_survive(
    session: Session, tmp_path: Path
) -> None:
    assert session.go_to_bookmark(1) is None
    session.set_weight("pictures/a.png", 0.7)
    assert session.toggle_bookmark()
    first = session.choices
    session.choose(mixture=Mixture.equal(["pictures/e.png"]), method="fix/0", prompt="a face")
    assert session.toggle_bookmark()
    saved.save(session, tmp_path / "session.json")
    again = Session()
    saved.resume(again, tmp_path / "session.json")
    again.keep_existing(PICTURES, 4)
    assert again.go_to_bookmark(1) == 1
    assert again.choices == first
    assert again.go_to_bookmark(-1) == 2
    assert (again.choices.method, again.choices.prompt) == ("fix/0", "a face")
    assert again.undo()
    assert again.choices == first
    again.go_to_bookmark(1)
    assert again.toggle_bookmark() is False
    assert len(again.bookmarks.kept) == 1


def test_a_bookmark_is_of_its_folder_and_does_without_pictures_that_are_gone(
    session: Session,
) -> None:
    session.toggle_bookmark()
    session.open_folder(Path("others"), [Path("others/x.png")], 1)
    assert session.go_to_bookmark(1) is None
    session.open_folder(Path("pictures"), PICTURES[2:], 1)
    assert session.go_to_bookmark(1) == 1
    assert session.mixture == Mixture.equal(["pictures/c.png", "pictures/d.png"])


def test_several_pictures_go_in_and_out_together(session: Session) -> None:
    assert session.toggle("pictures/d.png", "pictures/e.png", "pictures/f.png")
    assert weights(session) == pytest.approx((1 / 6,) * 6)
    assert session.toggle("pictures/e.png", "pictures/f.png")
    assert session.mute("pictures/a.png", "pictures/b.png")
    assert weights(session) == pytest.approx((0, 0, 0.5, 0.5))
    assert session.equalise("pictures/a.png", "pictures/c.png")
    assert weights(session) == pytest.approx((0.25, 0, 0.25, 0.5))
    assert session.set_weights({"pictures/f.png": 3, "pictures/a.png": 1})
    assert weights(session) == pytest.approx((0.75, 0.25))


def test_null_text_is_inverted_for_the_guidance_of_generating(session: Session) -> None:
    """Its embeddings are fitted to it, so that another guidance means other latents."""
    plain, fitted = Choices(), Choices(solver="null-text")
    assert plain.same_latents(replace(plain, guidance=3.0, inner_steps=4))
    assert not fitted.same_latents(replace(fitted, guidance=3.0))
    assert not fitted.same_latents(replace(fitted, inner_steps=4))
    session.choose(solver="null-text", guidance=3.0, inner_steps=4)
    settings, _ = session.choices.for_model(find_model("mini"))
    assert (settings.guidance, settings.inner_steps) == (3.0, 4)
    assert "--inner-steps 4" in shell.command(session)
