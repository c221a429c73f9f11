"""What the keys do that try things out: compare methods, sweep over N, drafts after every edit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from latmix.jobs.screen.variants import Variants, Wanted
from latmix.mixing.grid import DEFAULT_METHOD, methods
from latmix.mixing.mixture import Mixture
from latmix.names import plural
from latmix.tui.actions.making import BUSY, NOTHING_TO_MIX
from latmix.tui.dialogs.method import MethodDialog
from latmix.tui.explorer import Explorer
from latmix.tui.keys.command import Area
from latmix.tui.pictures.variants import MOST, VariantsScreen

AREA = Area("Making")

USUAL = (DEFAULT_METHOD, "fix/chm", "nin/chm", "fix/0", "nin/0", "lin/0")
"""Ours, the paper's remedies, what they remedy, and the plain mean."""

MOST_COUNTS = 8

Taken = Callable[[Explorer, Wanted], None]


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
