"""A job watched: what its two lines say, pause, pictures that come late, failures, and the bell."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from latmix.jobs.engine import JobFinished
from latmix.jobs.progress import Pace, Progress
from latmix.session.machine import Machine
from latmix.tui.dialogs.lists import FailuresDialog
from latmix.tui.work import work
from latmix.tui.work.job_line import PAUSED, job_text, step_text
from tests.support.driver import opened

SLOW = {"steps": 24}


def test_the_lines_of_a_job_give_way_to_the_width_from_the_least_important_on() -> None:
    progress = Progress(
        "invert", 3, 8, 31, 50, 5, "cpu  0.7 GB  load 1.9 of 2", "2 cached", "a.png"
    )
    pace = Pace(steps_per_second=3.14, seconds_left=41)
    wide = job_text(progress, pace, 100)
    assert wide.startswith("inverting 3/8  a.png  ━━━")
    assert wide.endswith(" 76%  0:41 left")
    assert job_text(progress, pace, 120, queued=2).startswith("inverting 3/8 +2 queued  a.png")
    assert step_text(progress, pace, 80) == (
        "step 31/50  3.1 it/s  cpu  0.7 GB  load 1.9 of 2  2 cached"
    )
    for width in range(1, 140):
        assert len(job_text(progress, pace, width)) <= width
        assert len(step_text(progress, pace, width)) <= width
    assert step_text(progress, pace, 25) == "step 31/50  3.1 it/s"


async def test_an_inversion_says_how_far_it_is_and_what_next(folder: Path) -> None:
    async with opened(folder, count=2, choices={"steps": 60}) as driver:
        driver.app.job_line.say("")  # what the start said stands before the step for seconds
        await driver.press("i")
        await driver.until_shown("inverting 0/2", "face-0.png +1", " left", "it/s", "GB", "stop")
        await driver.until(lambda: driver.app.pane.image is not None)
        await driver.until_idle()
        await driver.until_shown("No picture of the mixture yet:", "g makes it.", "norm")
        assert sum("it/s" in line for line in driver.lines) == 0


async def test_a_paused_job_stands_still_until_it_goes_on(folder: Path) -> None:
    async with opened(folder, count=2, machine=Machine("cpu", batch=1), choices=SLOW) as driver:
        await driver.press("P")
        assert "Nothing is at work to pause" in driver.said
        await driver.press("i")
        await driver.until(lambda: driver.app.work.progress and driver.app.work.progress.step)
        await driver.press("P")
        await driver.until_shown(PAUSED)
        await driver.pilot.pause(0.3)
        before = len(driver.progresses("invert"))
        await driver.pilot.pause(0.3)
        assert len(driver.progresses("invert")) == before
        await driver.press("l", "P")
        await driver.until(lambda: driver.session.is_measured)
        assert isinstance(driver.events("invert")[0], JobFinished)


async def test_a_paused_job_can_be_stopped_and_the_program_left(folder: Path) -> None:
    async with opened(folder, count=2, machine=Machine("cpu", batch=1), choices=SLOW) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.app.work.progress and driver.app.work.progress.step)
        await driver.press("P", "escape")
        await driver.until_idle()
        await driver.press("i")
        await driver.until(lambda: driver.app.work.progress and driver.app.work.progress.step)
        await driver.press("P")


async def test_pictures_that_come_while_others_are_inverted_are_next(folder: Path) -> None:
    async with opened(
        folder, count=2, machine=Machine("cpu", batch=1), choices={"steps": 6}
    ) as driver:
        await driver.press("i", "P")
        await driver.until_shown(PAUSED)
        await driver.press("end", "space", "k", "space")
        await driver.until_shown("+2 queued")
        await driver.press("P")
        await driver.until(lambda: len(driver.events("invert")) == 2)
        await driver.until(lambda: driver.session.is_measured)
        assert len(driver.session.inversion.rows) == 4
        assert driver.session.inversion.cached == 2


async def test_failures_are_listed_with_reasons_and_tried_again(folder: Path) -> None:
    good = (folder / "face-1.png").read_bytes()
    (folder / "face-1.png").write_text("not a picture")
    (folder / "face-2.png").write_bytes(b"")
    async with opened(folder, (120, 40), count=3) as driver:
        await driver.press("F")
        assert "Every picture" in driver.said
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        await driver.until_shown("2 ✗ (F)", "F says why")
        await driver.press("F")
        await driver.until(lambda: isinstance(driver.app.screen, FailuresDialog))
        await driver.until_shown("face-1.png", "it holds text", "face-2.png", "is empty")
        (folder / "face-1.png").write_bytes(good)
        await driver.press("r")
        await driver.until(lambda: len(driver.events("invert")) == 2)
        assert list(driver.session.failures) == [str(folder / "face-2.png")]
        assert len(driver.weights) == 2
        shutil.copy(folder / "face-0.png", folder / "face-2.png")
        await driver.press("F")
        await driver.until(lambda: isinstance(driver.app.screen, FailuresDialog))
        await driver.press("enter")
        await driver.until(lambda: len(driver.weights) == 3 and driver.session.is_measured)


@pytest.mark.parametrize("long", [True, False])
async def test_the_bell_rings_when_long_work_ends(
    folder: Path, monkeypatch: pytest.MonkeyPatch, long: bool
) -> None:
    monkeypatch.setattr(work, "LONG", 0.0 if long else 1000.0)
    async with opened(folder, count=2) as driver:
        rung = []
        monkeypatch.setattr(driver.app, "bell", lambda: rung.append(driver.app.work.is_busy))
        await driver.press("g")
        await driver.until(lambda: driver.finished("generate"))
        assert rung == ([False] if long else [])
