"""Jobs: the whole loop from pictures to a written mixture, and every way to stop in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from latmix.config import load_config
from latmix.jobs.engine import Job, JobCancelled, JobFinished, JobProgressed
from latmix.jobs.progress import Progress
from latmix.mixing.grid import DEFAULT_METHOD
from latmix.mixing.verdict import SOUND
from latmix.results.recipes import read_recipe
from latmix.session import shell
from latmix.session.machine import Machine
from latmix.tui.dialogs.reading import NoticeDialog
from latmix.tui.messages import JobReported
from latmix.tui.work.job_line import STOPPING
from tests.support.driver import Driver, opened

SLOW = {"steps": 60}
"""Enough steps that a job can be stopped in the middle; for jobs that need not end."""

LASTING = {"steps": 20}
"""Enough steps that a key is taken before the last, of a job that is waited for."""


async def until_one_is_done(driver: Driver) -> None:
    await driver.press("i")
    await driver.until(lambda: driver.app.work.progress and driver.app.work.progress.done)


async def test_i_inverts_with_progress_and_statistics_then_follow_the_weight_keys(
    folder: Path,
) -> None:
    async with opened(folder, (120, 40), count=4) as driver:
        assert driver.session.latents.statistics() is None
        await driver.until_shown("4 pictures are not inverted yet: press i")
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        told = [event.progress for event in driver.progresses("invert")]
        assert {"invert", "measure"} <= {progress.phase for progress in told}
        assert all(progress.total == 4 for progress in told if progress.phase == "invert")
        assert "4 pictures inverted in" in driver.said
        equal = driver.session.latents.statistics()
        assert equal is not None
        await driver.until_shown("amplification", f"{equal.amplification:.3f}", "●✓")
        jobs = len(driver.messages)
        await driver.press("H", "H")
        edited = driver.session.latents.statistics()
        assert edited is not None
        assert edited.amplification != pytest.approx(equal.amplification)
        assert f"{edited.amplification:.3f}" in driver.text
        assert not any(type(m).__name__ == "JobReported" for m in driver.messages[jobs:])


async def test_g_does_the_whole_loop_and_writes_a_picture_with_its_recipe(folder: Path) -> None:
    async with opened(folder, count=3) as driver:
        await driver.press("l", "l", "g")
        await driver.until(lambda: driver.finished("generate"))
        assert driver.finished("invert")
        [path] = driver.session.results
        assert path.parent == load_config().results
        recipe = read_recipe(path)
        assert [image.weight for image in recipe.images] == pytest.approx(driver.weights)
        assert recipe.method == DEFAULT_METHOD
        assert path.name in driver.said
        await driver.until_shown("mixture: ", "▀▀▀▀▀▀▀▀")
        await driver.press("l")
        await driver.until_shown("older; g makes it anew")
        await driver.press("u")
        await driver.until_shown("mixture: ")
        await driver.press("v")
        await driver.until_shown("face-0.png", "norm")


async def test_the_degeneracy_warning_comes_and_goes_with_the_method(folder: Path) -> None:
    choices = {"method": "lin/0", "solver": "fixed-point"}
    async with opened(folder, count=6, choices=choices) as driver:
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        statistics = driver.session.latents.statistics()
        assert statistics is not None
        assert statistics.warning
        await driver.until_shown("! " + statistics.warning.split()[0])
        await driver.press("s")
        await driver.until_shown(SOUND)


async def test_escape_stops_an_inversion_within_a_step_and_keeps_what_was_finished(
    folder: Path,
) -> None:
    async with opened(
        folder, count=3, machine=Machine("cpu", batch=1), choices={"steps": 30}
    ) as driver:
        await until_one_is_done(driver)
        await driver.press("escape")
        told = len(driver.progresses("invert"))
        assert not driver.app.work.is_busy or STOPPING[:20] in driver.text
        await driver.until_idle()
        assert [type(event) for event in driver.events("invert")] == [JobCancelled]
        assert len(driver.progresses("invert")) <= told + 1
        assert "what was finished is kept" in driver.said
        # What an earlier look-up found, nothing, may be there still.
        await driver.until(lambda: driver.session.inversion and driver.session.inversion.rows)
        kept = len(driver.session.inversion.rows)
        assert 1 <= kept < 3
        await driver.until_shown("●✓")
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        assert driver.session.inversion.cached == kept


async def test_ctrl_c_stops_a_job_and_never_ends_the_program(folder: Path) -> None:
    async with opened(folder, count=3, machine=Machine("cpu", batch=1), choices=SLOW) as driver:
        await until_one_is_done(driver)
        await driver.press("ctrl+c")
        await driver.until_idle()
        assert isinstance(driver.events("invert")[0], JobCancelled)
        await driver.press("ctrl+c")
        assert "q quits" in driver.said
        assert driver.app.is_running


async def test_weights_edited_while_a_job_runs_are_kept(folder: Path) -> None:
    async with opened(folder, count=3, machine=Machine("cpu", batch=1), choices=LASTING) as driver:
        # It waits while keys are pressed, which may take longer than the job.
        await driver.press("i", "P", "s", "g")
        assert any("once the pictures are inverted" in notice for notice in driver.notices)
        await driver.press("P")
        await driver.until(lambda: driver.finished("generate"))
        assert driver.weights == [1, 0, 0]
        assert len(driver.session.results) == 1


async def test_latents_under_other_settings_are_not_taken_for_these(folder: Path) -> None:
    async with opened(folder, count=2, machine=Machine("cpu", batch=1), choices=LASTING) as driver:
        await driver.press("i")
        driver.session.choose(prompt="another")
        driver.app.changed()
        await driver.until_idle()
        assert isinstance(driver.events("invert")[0], JobFinished)
        assert not driver.session.is_measured
        assert "settings changed" in driver.said


async def test_o_says_where_the_picture_is_when_no_viewer_can_show_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LATMIX_VIEWER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")
    async with opened(folder, (120, 40)) as driver:
        await driver.press("o")
        await driver.until(lambda: driver.finished("view"))
        path = str(folder / "face-0.png")
        assert driver.said == f"No viewer here; the picture is {path}"
        assert driver.app.clipboard == path
        assert any(path in notice for notice in driver.notices)


async def test_y_copies_the_command_that_makes_the_same(folder: Path) -> None:
    async with opened(folder, count=2) as driver:
        await driver.press("L", "y")
        assert isinstance(driver.app.screen, NoticeDialog)
        assert driver.app.clipboard == shell.command(driver.session)
        assert driver.app.clipboard.startswith("latmix mix ")
        await driver.press("escape")
        assert not isinstance(driver.app.screen, NoticeDialog)


async def test_a_model_that_cannot_be_used_is_named_with_what_to_do(folder: Path) -> None:
    async with opened(folder, model="no-such-model") as driver:
        await driver.until(lambda: isinstance(driver.app.screen, NoticeDialog))
        assert "no-such-model" in driver.app.screen.text
        await driver.press("escape", "l")
        assert driver.app.is_running


async def test_what_a_thread_reports_while_the_screen_is_taken_down_is_dropped(
    folder: Path,
) -> None:
    async with opened(folder) as driver:
        pass
    assert driver.app.is_ending
    answers: list[object] = []
    job = Job("invert", lambda: None, done=answers.append, progressed=answers.append)
    progress = Progress("invert", 1, 2, preview=None)
    driver.app.on_job_reported(JobReported(JobProgressed(job, progress)))
    driver.app.on_job_reported(JobReported(JobFinished(job, None)))
    assert not answers
