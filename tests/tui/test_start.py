"""From start to end on a real terminal: what is refused, loaded, kept, restored and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from latmix.config import load_config
from tests.support.driver import opened

if os.name != "posix":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

from tests.support.terminal import Terminal

FIRST_PAINT = """
import asyncio, sys
from pathlib import Path
from latmix.config import load_config
from latmix.jobs.engine import JobFinished
from latmix.tui import ExploreOptions, make_start
from latmix.tui.app import ExploreApp
from latmix.tui.messages import JobReported

def heavy():
    return sorted({"torch", "diffusers", "transformers"} & set(sys.modules))

async def main():
    app = ExploreApp(make_start(ExploreOptions(folder=Path(sys.argv[1])), load_config()))
    seen = []

    def note(message):
        # What reports the folder is handled before anything asks for torch.
        is_report = isinstance(message, JobReported) and message.event.job.name == "scan"
        if is_report and isinstance(message.event, JobFinished) and not seen:
            seen.append((heavy(), [s.text for s in app.screen._compositor.render_strips()]))

    async with app.run_test(message_hook=note) as pilot:
        while not seen:
            await pilot.pause()
    [(loaded, lines)] = seen
    assert loaded == [], loaded
    assert "latmix" in lines[0] and "weight" in lines[1], lines
    app.engines.close(60)

asyncio.run(main())
"""

QUICK = ("--model", "mini", "--device", "cpu", "--size", "32", "--batch", "1")
SLOW = {"steps": 60, "solver": "ddim"}


def test_nothing_heavy_is_imported_before_the_first_paint(folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FIRST_PAINT, str(folder)], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr


def test_without_a_terminal_it_says_what_to_use_instead(folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "latmix", "explore", str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "needs a terminal, and stdin is not one" in ended.stderr
    assert "latmix centroid" in ended.stderr
    assert "\x1b" not in ended.stderr


def test_a_terminal_that_can_only_print_is_refused_with_a_sentence(folder: Path) -> None:
    with Terminal("explore", str(folder), term="dumb") as terminal:
        assert terminal.end() == 1
    assert b"cannot draw on this terminal (TERM=dumb)" in terminal.written
    assert b"\x1b" not in terminal.written


async def test_q_quits_in_the_middle_of_an_inversion_and_the_next_start_resumes(
    folder: Path,
) -> None:
    with Terminal(
        "explore", str(folder), "-n", "5", *QUICK, "--steps", "60", "--solver", "ddim"
    ) as terminal:
        terminal.until("6 pictures in")
        terminal.press("Li")
        terminal.until("inverting 1/5")
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.is_restored
    saved = json.loads(load_config().session_file.read_text())
    assert saved["folder"] == str(folder)
    async with opened(None, choices=SLOW) as driver:
        assert driver.session.folder == folder
        assert driver.weights == pytest.approx([0.3, 0.175, 0.175, 0.175, 0.175])
        assert "Resumed: 5 pictures mixed" in driver.said
        await driver.until(lambda: driver.session.inversion and driver.session.inversion.rows)
        assert 1 <= len(driver.session.inversion.rows) < 5
    async with opened(folder, fresh=True) as driver:
        assert driver.weights == pytest.approx([1 / 6] * 6)
        assert "Resumed" not in driver.said


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_with_the_terminal_restored_and_the_session_saved(
    folder: Path, name: str
) -> None:
    number = getattr(signal, name)
    with Terminal("explore", str(folder), "-n", "5", *QUICK) as terminal:
        terminal.until("6 pictures in")
        terminal.press("s")
        terminal.until("1.000")
        os.kill(terminal.process.pid, number)
        assert terminal.end() == 128 + number
        assert terminal.is_restored
    choices = json.loads(load_config().session_file.read_text())["choices"]
    assert dict(choices["mixture"])[str(folder / "face-0.png")] == 1


async def test_a_damaged_session_is_put_aside_and_named(folder: Path) -> None:
    file = load_config().session_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"latmix": 1, "folder": ')
    async with opened(folder) as driver:
        assert any("session-damaged.json" in notice for notice in driver.notices)
    assert file.with_name("session-damaged.json").exists()
