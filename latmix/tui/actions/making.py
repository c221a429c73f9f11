"""What the keys do to make pictures: invert, generate, stop, wait, by which method; and drafts by
several methods, or of several N."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from latmix.jobs.screen.studio import Made
from latmix.jobs.screen.variants import Variants, Wanted
from latmix.mixing.grid import DEFAULT_METHOD, methods
from latmix.mixing.mixture import Mixture
from latmix.names import display_name, plural
from latmix.session.choices import Choices
from latmix.tui.actions.chosen import MIXTURE
from latmix.tui.dialogs.method import MethodDialog
from latmix.tui.explorer import Explorer
from latmix.tui.keys.command import Area, given
from latmix.tui.pictures.picture_pane import Result
from latmix.tui.pictures.variants import MOST, VariantsScreen

AREA = Area("Making")

BUSY = "A job is at work: esc stops it."
NOTHING_TO_MIX = "No pictures to mix: space takes one in, f opens a folder."

COMPARED_AT_MOST = 96
"""Pictures whose mixture is tried under every method before the grid is shown: in 50 ms or so."""


USUAL = (DEFAULT_METHOD, "fix/chm", "nin/chm", "fix/0", "nin/0", "lin/0")
"""Ours, the paper's remedies, what they remedy, and the plain mean."""

MOST_COUNTS = 8

Taken = Callable[[Explorer, Wanted], None]


@AREA.command_while(False, "job.invert", "i", "i", "Invert", footer="invert")
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


@AREA.command_while(True, "job.cancel", "escape", "esc", "Stop", footer="stop")
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


@AREA.command("job.compare", "c", "c", "Compare methods", opens=True)
def compare(explorer: Explorer) -> None:
    """Drafts by up to six methods at the same weights, side by side; enter takes one."""
    _try(explorer, _compare)


@AREA.command("job.sweep", "S", "S", "Sweep over N", opens=True)
def sweep(explorer: Explorer) -> None:
    """Drafts of the first 2, 4, 8, ... pictures of the mixture, by its method."""
    mixture = explorer.session.mixture
    if mixture is not None and len(mixture) < 2:
        explorer.say("A sweep over N needs at least two pictures in the mixture: N chooses.")
    else:
        _try(explorer, _sweep)


def _try(explorer: Explorer, then: Callable[[Explorer, Mixture], None]) -> None:
    """Now, or once the mixture's pictures are inverted."""
    session, again = explorer.session, partial(_try, explorer, then)
    if session.mixture is None:
        explorer.say(NOTHING_TO_MIX)
    elif explorer.work.is_busy:
        waits = explorer.work.follow_with(again)
        said = "They will be made after the job at work." if waits else BUSY
        explorer.notify(said, markup=False)
    elif session.uninverted or session.inversion is None:
        explorer.pane.turn(to_mixture=True)
        explorer.jobs.invert(then=again)
    else:
        then(explorer, session.mixture)


def compared_methods(explorer: Explorer) -> tuple[str, ...]:
    """The methods chosen for comparing, else the one in use among the usual ones."""
    known, session = methods(), explorer.session
    chosen = [name for name in session.compared if name in known]
    usual = [name for name in (session.choices.method, *USUAL) if name in known]
    return tuple(dict.fromkeys(chosen or [*usual, *known]))[:MOST]


def _compare(explorer: Explorer, mixture: Mixture) -> None:
    weights = mixture.as_dict()
    wanted = [Wanted(name, name, weights) for name in compared_methods(explorer)]
    what = f"{plural(len(mixture), 'picture')} by {len(wanted)} methods"
    choose = partial(_choose_compared, explorer)
    _show(explorer, wanted, f"{what}, the same weights", _take_method, choose)


def _sweep(explorer: Explorer, mixture: Mixture) -> None:
    method = explorer.session.choices.method
    wanted = [
        Wanted(f"N {count}", method, Mixture.equal(mixture.keys[:count]).as_dict())
        for count in sweep_counts(len(mixture))
    ]
    title = f"the first N pictures of the mixture, equal weights, {method}"
    _show(explorer, wanted, title, _take_count)


def _show(
    explorer: Explorer,
    wanted: Sequence[Wanted],
    title: str,
    taken: Taken,
    choose: Callable[[], None] | None = None,
) -> None:
    """Open the screen on drafts that are being made."""
    in_use = next((at for at, one in enumerate(wanted) if _is_in_use(explorer, one)), None)
    title = f"{title}; drafts of {plural(explorer.jobs.draft_steps, 'step')}"
    screen = VariantsScreen(tuple(wanted), title, in_use, choose)

    def take(variants: Variants) -> None:
        if screen.is_attached:
            screen.take(variants)
        explorer.show_all()

    def leave(answer: Wanted | None) -> None:
        if explorer.work.job is job:
            explorer.work.stop()
        if answer is not None:
            taken(explorer, answer)

    explorer.push_screen(screen, leave)
    explorer.jobs.compare(wanted, take)
    job = explorer.work.job


def _is_in_use(explorer: Explorer, one: Wanted) -> bool:
    mixture, method = explorer.session.mixture, explorer.session.choices.method
    return mixture is not None and (one.method, one.weights) == (method, mixture.as_dict())


def _take_method(explorer: Explorer, wanted: Wanted) -> None:
    if explorer.session.choose(method=wanted.method):
        explorer.changed(f"Method {wanted.method}; g makes its picture in full.")


def _take_count(explorer: Explorer, wanted: Wanted) -> None:
    if explorer.session.choose(mixture=Mixture.equal(wanted.weights)):
        count = plural(len(wanted.weights), "picture")
        explorer.changed(f"The first {count} of the mixture; g makes the picture in full.")


def _choose_compared(explorer: Explorer) -> None:
    """Choose other methods to compare, then compare them."""
    method, marked = explorer.session.choices.method, compared_methods(explorer)

    def take(chosen: tuple[str, ...]) -> None:
        explorer.session.compared = chosen
        explorer.save_soon()
        if isinstance(explorer.screen, VariantsScreen):
            explorer.screen.dismiss(None)
        explorer.call_after_refresh(_compare_anew, explorer)

    explorer.open(MethodDialog(method, {}, marked, MOST), take)


def _compare_anew(explorer: Explorer) -> None:
    """Once the comparison that was at work has stopped."""
    if explorer.work.is_busy:
        explorer.set_timer(0.05, partial(_compare_anew, explorer))
    else:
        _try(explorer, _compare)


def sweep_counts(most: int) -> list[int]:
    """2, 4, 8, ... and all; of more than fit, the largest."""
    counts = [2**power for power in range(1, most.bit_length()) if 2**power <= most]
    return sorted({*counts, most})[-MOST_COUNTS:]
