"""What the keys do that try things out: compare methods, sweep over N, drafts after every edit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from latmix.jobs.engine import JobFinished
from latmix.jobs.screen.variants import Variants, Wanted
from latmix.mixing.grid import DEFAULT_METHOD, methods
from latmix.mixing.mixture import Mixture
from latmix.names import plural
from latmix.tui.dialogs.method import MethodDialog
from latmix.tui.explorer import Explorer
from latmix.tui.pictures.variants import MOST, VariantsScreen

USUAL = (DEFAULT_METHOD, "fix/chm", "nin/chm", "fix/0", "nin/0", "lin/0")
"""Ours, the paper's remedies, what they remedy, and the plain mean."""

MOST_COUNTS = 8

BUSY = "A job is at work: esc stops it."


class Trying(Explorer):
    """The commands that make drafts."""

    def action_toggle_drafts(self) -> None:
        session = self.session
        session.drafts = not session.drafts
        steps = plural(session.draft_steps, "step")
        self.changed(
            f"Every change is followed by a draft of {steps} now; D stops that."
            if session.drafts
            else "No drafts any more; D brings them back, g makes a picture."
        )

    def action_compare_methods(self) -> None:
        """Drafts of the mixture by several methods, side by side."""
        self._try(self._compare)

    def action_sweep_count(self) -> None:
        """Drafts of the first 2, 4, 8, ... pictures of the mixture."""
        if self.session.mixture is not None and len(self.session.mixture) < 2:
            self.say("A sweep over N needs at least two pictures in the mixture: N chooses.")
        else:
            self._try(self._sweep)

    def _try(self, then: Callable[[], None]) -> None:
        """Now, or once the mixture's pictures are inverted."""
        if self.session.mixture is None:
            self.say("No pictures to mix: space takes one in, f opens a folder.")
        elif self.work.is_busy:
            waits = self.work.follow_with(lambda: self._try(then))
            said = "They will be made after the job at work." if waits else BUSY
            self.notify(said, markup=False)
        elif self.session.uninverted or self.session.inversion is None:
            self.pane.turn(to_mixture=True)
            self.work.invert(then=then)
            self.show_job()
        else:
            then()

    def compared_methods(self) -> tuple[str, ...]:
        """The methods chosen for comparing, else the one in use among the usual ones."""
        known = methods()
        chosen = [name for name in self.session.compared if name in known]
        usual = [name for name in (self.session.choices.method, *USUAL) if name in known]
        return tuple(dict.fromkeys(chosen or [*usual, *known]))[:MOST]

    def _compare(self) -> None:
        if (mixture := self.session.mixture) is None:
            return
        weights = mixture.as_dict()
        wanted = [Wanted(name, name, weights) for name in self.compared_methods()]
        what = f"{plural(len(mixture), 'picture')} by {len(wanted)} methods"
        self._show(wanted, f"{what}, the same weights", self._method_taken, chooses_methods=True)

    def _sweep(self) -> None:
        if (mixture := self.session.mixture) is None:
            return
        method = self.session.choices.method
        wanted = [
            Wanted(f"N {count}", method, Mixture.equal(mixture.keys[:count]).as_dict())
            for count in sweep_counts(len(mixture))
        ]
        title = f"the first N pictures of the mixture, equal weights, {method}"
        self._show(wanted, title, self._count_taken)

    def _show(
        self,
        wanted: Sequence[Wanted],
        title: str,
        taken: Callable[[Wanted | None], None],
        chooses_methods: bool = False,
    ) -> None:
        """Open the screen on drafts that are being made."""
        in_use = next((at for at, one in enumerate(wanted) if self._is_in_use(one)), None)
        steps = min(self.session.draft_steps, self.session.choices.steps)
        title = f"{title}; drafts of {plural(steps, 'step')}"
        choose = self._choose_compared if chooses_methods else None
        screen = VariantsScreen(tuple(wanted), title, in_use, choose)
        self.push_screen(screen, partial(self._left, taken))
        self.work.compare(wanted, steps)
        self.show_job()

    def _is_in_use(self, one: Wanted) -> bool:
        mixture, method = self.session.mixture, self.session.choices.method
        return mixture is not None and (one.method, one.weights) == (method, mixture.as_dict())

    def _left(self, taken: Callable[[Wanted | None], None], answer: Wanted | None) -> None:
        if self.work.asked is not None and self.work.asked.kind == "compare":
            self.work.stop()
        taken(answer)

    def _method_taken(self, wanted: Wanted | None) -> None:
        if wanted is not None and self.session.choose(method=wanted.method):
            self.changed(f"Method {wanted.method}; g makes its picture in full.")

    def _count_taken(self, wanted: Wanted | None) -> None:
        if wanted is None:
            return
        if self.session.choose(mixture=Mixture.equal(wanted.weights)):
            count = plural(len(wanted.weights), "picture")
            self.changed(f"The first {count} of the mixture; g makes the picture in full.")

    def _choose_compared(self) -> None:
        """Choose other methods to compare, then compare them."""
        marked = self.compared_methods()
        dialog = MethodDialog(self.session.choices.method, {}, marked, MOST)
        self.push_screen(dialog, self._compared_chosen)

    def _compared_chosen(self, chosen: tuple[str, ...] | None) -> None:
        if chosen is None:
            return
        self.session.compared = chosen
        self.save_soon()
        if isinstance(self.screen, VariantsScreen):
            self.screen.dismiss(None)
        self.call_after_refresh(self._compare_anew)

    def _compare_anew(self) -> None:
        """Once the comparison that was at work has stopped."""
        if self.work.is_busy:
            self.set_timer(0.05, self._compare_anew)
        else:
            self._try(self._compare)

    def take_variants(self, event: JobFinished, variants: Variants) -> None:
        """Drafts have come: for the screen that asked, or one after an edit."""
        if event.kind == "compare":
            for screen in self.screen_stack:
                if isinstance(screen, VariantsScreen):
                    screen.take(variants)
            self.show_all()
            return
        [draft] = variants.variants
        if self.work.is_wanted_draft(event) and draft.picture is not None:
            steps = min(self.session.draft_steps, self.session.choices.steps)
            name = f"draft, {plural(steps, 'step')}; g makes it in full"
            self.pane.take_draft(draft.picture, self.session.choices, name)


def sweep_counts(most: int) -> list[int]:
    """2, 4, 8, ... and all; of more than fit, the largest."""
    counts = [2**power for power in range(1, most.bit_length()) if 2**power <= most]
    return sorted({*counts, most})[-MOST_COUNTS:]
