"""What the keys do with jobs: invert, generate, stop, wait; and by which method to mix."""

from __future__ import annotations

from functools import partial

from latmix.jobs.screen.studio import Made
from latmix.mixing.grid import methods
from latmix.mixing.mixture import Mixture
from latmix.names import display_name
from latmix.session.choices import Choices
from latmix.tui.actions.chosen import MIXTURE
from latmix.tui.dialogs.method import MethodDialog
from latmix.tui.explorer import Explorer
from latmix.tui.keys.command import Area, given
from latmix.tui.pictures.picture_pane import Result

AREA = Area("Making")

BUSY = "A job is at work: esc stops it."
NOTHING_TO_MIX = "No pictures to mix: space takes one in, f opens a folder."

COMPARED_AT_MOST = 96
"""Pictures whose mixture is tried under every method before the grid is shown: in 50 ms or so."""


@AREA.command("job.invert", "i", "i", "Invert", footer="invert")
@given(MIXTURE, "No pictures to invert: space takes one in, f opens a folder.")
def invert(explorer: Explorer, _: Mixture) -> None:
    """Find the latents of the mixture's pictures; each is made once and kept."""
    if explorer.work.is_busy:
        explorer.notify(BUSY, markup=False)
    else:
        explorer.pane.turn(to_mixture=True)
        explorer.jobs.invert()


@AREA.command("job.generate", "g", "g", "Generate", footer="generate")
@given(MIXTURE, NOTHING_TO_MIX)
def generate(explorer: Explorer, _: Mixture) -> None:
    """Make the picture of the mixture; inverts first where that is needed."""
    work, make = explorer.work, partial(explorer.jobs.generate, partial(_take_made, explorer))
    if not work.is_busy:
        explorer.pane.turn(to_mixture=True)
        make()
    elif work.follow_with(make):
        ended = "once the pictures are inverted" if work.is_inverting else "after the one at work"
        explorer.notify(f"The picture will be made {ended}.", markup=False)
    else:
        explorer.notify(BUSY, markup=False)


def _take_made(explorer: Explorer, made: Made, choices: Choices) -> None:
    explorer.session.add_result(made.path)
    explorer.choices_of[made.path] = choices
    explorer.pane.take_result(Result(made.path, made.picture, choices))
    name = display_name(made.path.name)
    explorer.changed(f"Made in {made.seconds:.1f} s: {name}. o opens it.")


@AREA.command("job.cancel", "escape", "esc", "Stop", footer="stop")
def cancel(explorer: Explorer) -> None:
    """Stop the job after its call of the network; what was finished is kept."""
    if explorer.pictures.entry is not None:
        explorer.pictures.end_entry()
    else:
        explorer.work.stop()


@AREA.command("job.pause", "P", "P", "Pause or go on")
def pause(explorer: Explorer) -> None:
    """Let the job at work wait; again lets it go on."""
    if not explorer.work.toggle_pause():
        explorer.say("Nothing is at work to pause.")


@AREA.command("job.interrupt", "ctrl+c", "ctrl+c", "Stop")
def interrupt(explorer: Explorer) -> None:
    """The same as escape; never ends the program."""
    if not explorer.work.stop():
        explorer.say("Nothing is at work. q quits.")


@AREA.command("mix.method", "m", "m", "Choose the method", footer="method", opens=True)
def choose_method(explorer: Explorer) -> None:
    """The grid of norm targets and mean splits, with what each does."""
    session = explorer.session
    few = session.inversion is not None and len(session.inversion.rows) <= COMPARED_AT_MOST
    remarks = (
        {name: _remark(explorer, name) for name in methods()} if few and session.is_measured else {}
    )
    dialog = MethodDialog(session.choices.method, remarks)
    explorer.open(dialog, lambda chosen: take_method(explorer, chosen[0]))


def take_method(explorer: Explorer, method: str) -> None:
    """Mix by another method."""
    if explorer.session.choose(method=method):
        explorer.changed(f"Method {method}.")


def _remark(explorer: Explorer, method: str) -> str:
    """What a method would do at the present weights, as a sign."""
    try:
        statistics = explorer.session.latents.statistics(method)
    except ValueError:
        return "×"
    if statistics is None:
        return ""
    return "!" if statistics.warning else "✓"
