"""The table of settings: a value survives every way it is written, and every front shows it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latmix.session import saved, session, shell
from latmix.session.choices import SETTINGS, Choices
from latmix.session.fields import Kind, Number, OneOf, Row, Size, Whole
from latmix.session.machine import Machine
from latmix.session.session import Session
from latmix.tui.dialogs.settings import LINES
from latmix.tui.keys.palette import OFFERED
from tests.support.command import cli

OTHERS = {
    "prompt": "a {name}",
    "negative": "a photograph",
    "steps": 7,
    "guidance": 4.25,
    "inversion_guidance": 2.0,
    "solver": "null-text",
    "inner_steps": 3,
    "size": (96, 64),
    "fit": "pad",
    "draft": 5,
    "result_prompt": "",
}
"""A value of each setting that is not its default."""


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """What a kind of setting can hold."""
    match kind:
        case Whole():
            return st.integers(kind.least, kind.most or 10**6)
        case Number():
            return st.floats(0, 1e6)
        case OneOf():
            return st.sampled_from(list(kind.sentences))
        case Size():
            return st.tuples(st.integers(1, 9999), st.integers(1, 9999))
    return st.text()


def test_a_value_is_here_for_every_setting() -> None:
    assert OTHERS.keys() == {row.name for row in SETTINGS}
    assert all(OTHERS[row.name] != row.default for row in SETTINGS)


@pytest.mark.parametrize("row", [*SETTINGS, *session.SETTINGS], ids=lambda row: row.name)
@given(data=st.data())
def test_a_setting_is_read_as_it_was_written(row: Row, data: st.DataObject) -> None:
    value = data.draw(values(row.kind))
    assert row.parse(row.text(value)) == value
    assert row.read(json.loads(json.dumps(value))) == value


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.name)
def test_a_setting_has_an_option_and_comes_back_with_a_session(row: Row, tmp_path: Path) -> None:
    assert row.flag in cli("centroid", "--help").output
    kept = Session(folder=tmp_path, choices=replace(Choices(), **{row.name: OTHERS[row.name]}))
    saved.save(kept, tmp_path / "session.json")
    again = Session()
    assert saved.resume(again, tmp_path / "session.json")
    assert (again.choices == kept.choices) == row.is_kept


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.name)
def test_a_copied_command_says_a_setting_that_is_no_default(row: Row) -> None:
    opened = Session()
    opened.open_folder(Path("pictures"), [Path("pictures/a.png")], 1)
    assert row.flag not in shell.arguments(opened)
    opened.choose(**{row.name: OTHERS[row.name]})
    words = shell.arguments(opened)
    assert words[words.index(row.flag) + 1] == row.text(OTHERS[row.name])


def test_latents_depend_on_all_settings_of_inverting() -> None:
    """`guidance` and `inner_steps` matter where a solver is fitted, those of generating never."""
    for solver, unlike in (("ddim", {"guidance", "inner_steps"}), ("null-text", set[str]())):
        held = Choices(solver=solver)
        changed = {n: replace(held, **{n: v}) for n, v in OTHERS.items() if n != "solver"}
        same = {name for name, other in changed.items() if held.same_latents(other)}
        assert same == unlike | {"draft", "result_prompt"}
    assert not Choices().same_latents(Choices(solver="ddim"))


def test_the_form_and_the_palette_show_what_the_table_says() -> None:
    names = [row.name for row, _ in LINES]
    assert names[:4] == ["steps", "guidance", "draft_steps", "solver"]
    assert [line.place for _, line in LINES] == list(range(1, 9))
    assert {row.name for row in OFFERED} <= set(names)


@pytest.mark.parametrize(
    ("row", "text", "said"),
    [
        ("steps", "1.5", "steps must be a whole number, not '1.5'."),
        ("steps", "0", "steps must be at least 1, not 0."),
        ("guidance", "much", "guidance must be a number, or empty, not 'much'."),
        ("size", "3x4x5", "size must be 512 or 768x512, not '3x4x5'."),
        ("fit", "bend", "fit must be one of crop, pad, stretch, not 'bend'."),
    ],
)
def test_a_text_that_cannot_be_used_is_a_sentence(row: str, text: str, said: str) -> None:
    with pytest.raises(ValueError, match="must be") as raised:
        next(each for each in SETTINGS if each.name == row).parse(text)
    assert str(raised.value) == said


def test_the_machine_is_said_in_the_copied_command() -> None:
    opened = Session(machine=Machine("cpu", "float32", "model", 2))
    opened.open_folder(Path("pictures"), [Path("pictures/a.png")], 1)
    assert shell.arguments(opened)[-8:] == [
        *("--device", "cpu", "--dtype", "float32", "--offload", "model", "--batch", "2")
    ]


def test_a_setting_of_the_session_is_chosen_but_not_undone() -> None:
    opened = Session()
    opened.choose(steps=9)
    assert opened.choose(draft_steps=4, steps=7)
    assert not opened.choose(draft_steps=4)
    assert opened.undo()
    assert (opened.choices.steps, opened.draft_steps) == (9, 4)
