"""The program ended in the middle of an inversion, and two at once: nothing finished is lost."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from latmix.config import load_config
from latmix.sampling.generators import drained
from latmix.store.latents import LatentStore
from tests.support.command import answer, cli

if os.name != "posix":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

from tests.support.terminal import Terminal

WORDS = ("--model", "mini", "--device", "cpu", "--size", "32", "--batch", "1")
WORDS += ("--solver", "ddim", "--steps")
LONG = (*WORDS, "30")


def done(terminal: Terminal) -> int:
    """The most pictures that the screen has said are inverted."""
    return max(int(number) for number in re.findall(rb"inverting (\d)/5", terminal.written))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGKILL"])
def test_a_signal_in_the_middle_of_an_inversion_loses_no_finished_latent(
    folder: Path, name: str
) -> None:
    number = getattr(signal, name)
    with Terminal("explore", str(folder), "-n", "5", *LONG) as terminal:
        terminal.until("6 pictures in")
        terminal.press("i")
        terminal.until("inverting 2/5")
        os.kill(terminal.process.pid, number)
        code = terminal.end()
        kept = done(terminal)
        if name == "SIGKILL":
            assert code == -number
        else:
            assert code == 128 + number
            assert terminal.is_restored
    [space] = LatentStore(load_config().home).spaces()
    assert 2 <= kept <= space.rows < 5
    if name == "SIGKILL":
        again = answer(cli("invert", folder, "-n", "5", *LONG, "--json"))
        assert again["cached"] == space.rows


def test_a_terminal_that_goes_away_without_a_signal_ends_the_program(folder: Path) -> None:
    with Terminal("explore", str(folder), "-n", "5", *LONG) as terminal:
        terminal.until("6 pictures in")
        terminal.press("i")
        terminal.until("inverting 2/5")
        assert terminal.hang_up() == 128 + signal.SIGHUP
    saved = json.loads(load_config().session_file.read_text())
    assert len(saved["choices"]["mixture"]) == 5
    [space] = LatentStore(load_config().home).spaces()
    assert 2 <= space.rows < 5


def test_two_programs_on_one_folder_do_not_hurt_each_other(folder: Path) -> None:
    with (
        Terminal("explore", str(folder), "-n", "5", *WORDS, "6") as one,
        Terminal("explore", str(folder), "-n", "5", *WORDS, "6") as other,
    ):
        for terminal, key in ((one, "s"), (other, "x")):
            terminal.until("6 pictures in")
            terminal.press(key + "i")
        for terminal in (one, other):
            terminal.until("inverted in")
            terminal.press("lq")
        for terminal in (one, other):
            assert terminal.end() == 0
            assert terminal.is_restored
    saved = json.loads(load_config().session_file.read_text())
    weights = dict(saved["choices"]["mixture"])
    assert sum(weights.values()) == pytest.approx(1)
    assert not list(load_config().home.glob("*damaged*"))
    report = drained(LatentStore(load_config().home).verify())
    assert report.sound
    assert report.rows >= 5
