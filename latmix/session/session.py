"""Everything the program knows while it is open: pictures, choices with undo, latents, results.

Widgets render it and post intentions; jobs fill it. It is saved when something changes and resumed
at the next start. Needs no torch: what computes is handed in by a job (`Session.measured`).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latmix.mixing.grid import parse_method
from latmix.mixing.mixture import Mixture, mixture_of
from latmix.session.arranged import Arranged
from latmix.session.bookmarks import Bookmark, Bookmarks
from latmix.session.choices import Choices
from latmix.session.fields import Line, Whole, rows, setting
from latmix.session.machine import Machine
from latmix.session.measured import Measured, MixtureLatents
from latmix.session.undo import Undo

if TYPE_CHECKING:
    from latmix.mixing.live import LiveStatistics

DRAFT_STEPS = 8
"""Steps of a draft: enough to see what a mixture will be, an order quicker than fifty."""


@dataclass
class Session:
    """The state of the program. Not thread-safe: the front end's thread alone changes it.

    All but `pictures`, `machine` and `failures` is kept for the next start (`session.saved`).

    Attributes:
        shown: the result that is looked at, one of `results` (oldest first), or None.
        marked: results to compare or to export.
        compared: methods to compare side by side; empty for the usual ones.
        drafts: whether every edit is followed by a picture of `draft_steps` steps.
        view: what had the focus, for the next start: names and values of the front end's own.
        arranged: the list, for the next start.
    """

    model: str = "auto"
    theme: str = ""
    folder: Path | None = None
    recursive: bool = False
    pictures: list[Path] = field(default_factory=list)
    choices: Choices = field(default_factory=Choices)
    results: list[Path] = field(default_factory=list)
    shown: Path | None = None
    marked: list[Path] = field(default_factory=list)
    compared: tuple[str, ...] = ()
    draft_steps: int = setting(
        DRAFT_STEPS,
        Whole(1, 1000),
        line=Line(3, "Of drafts: comparisons, sweeps, and after every edit."),
        offer="Of a result, or of a draft.",
    )
    drafts: bool = False
    view: dict[str, str] = field(default_factory=dict)
    arranged: Arranged = field(default_factory=Arranged)
    machine: Machine = field(default_factory=Machine)
    failures: dict[str, str] = field(default_factory=dict)
    bookmarks: Bookmarks = field(default_factory=Bookmarks)

    _measured: Measured = field(default_factory=Measured)
    _undo: Undo = field(default_factory=Undo)

    @property
    def mixture(self) -> Mixture | None:
        return self.choices.mixture

    @property
    def latents(self) -> MixtureLatents:
        """What is known of the mixture's latents, as things are chosen now."""
        known = self._measured if self._measured.holds(self.model, self.choices) else Measured()
        return MixtureLatents(known, self.mixture, self.choices.method)

    @property
    def inversion(self) -> Any:
        """The pictures whose latents are known (`Measured.inversion`), or None."""
        return self.latents.known.inversion

    @property
    def is_measured(self) -> bool:
        """Whether every picture of the mixture has a latent whose statistics are known."""
        return self.latents.is_measured

    @property
    def uninverted(self) -> list[str]:
        """Pictures of the mixture that have weight but no latent yet."""
        return self.latents.uninverted

    def paths(self) -> tuple[Path, ...]:
        """The pictures to invert.

        Those that have a latent but left the mixture are kept, so that bringing one back by undo
        finds its statistics at once.
        """
        keys = (*(self.mixture.keys if self.mixture else ()), *self.latents.known.row_of)
        return tuple(Path(key) for key in dict.fromkeys(keys) if key not in self.failures)

    def measured(self, inversion: Any, live: LiveStatistics | None) -> None:
        """Take in a finished inversion with its live statistics (None where it has no rows)."""
        self._measured = Measured(self.model, self.choices, inversion, live)
        self.failures.update({str(f.path): f.reason for f in inversion.failures})
        self._leave_out_failed()

    def open_folder(self, folder: Path, pictures: Iterable[Path], count: int) -> None:
        """Start on a folder's pictures with an equal mixture of the first `count`."""
        self.folder, self.pictures = folder, list(pictures)
        self._measured = Measured()
        self.failures.clear()
        self.choose(mixture=self._first(count))
        self._undo = Undo()

    def choose(self, **changes: Any) -> bool:
        """Change choices by name, and settings of the session; False where nothing changes.

        Only choices are undone. A mixture that comes without a seed was not drawn at random: the
        old seed goes.

        Raises:
            ValueError: an unknown method.
        """
        if "mixture" in changes:
            changes.setdefault("seed", None)
        own = {row.name: changes.pop(row.name) for row in SETTINGS if row.name in changes}
        is_new = any(getattr(self, name) != value for name, value in own.items())
        changed = replace(self.choices, **changes)
        parse_method(changed.method)
        vars(self).update(own)
        if changed == self.choices:
            return is_new
        self._undo.keep(self.choices)
        self.choices = changed
        return True

    def set_count(self, count: int) -> bool:
        """An equal mixture of the first `count` pictures that can be read."""
        return self.choose(mixture=self._first(count))

    def set_weight(self, key: str, weight: float) -> bool:
        """Give a picture this weight (0..1); one outside it joins if that is above 0."""
        if self.mixture is None:
            return weight > 0 and self.toggle(key)
        if key in self.failures or (weight <= 0 and key not in self.mixture):
            return False
        return self.choose(mixture=self.mixture.set(key, weight))

    def nudge(self, key: str, amount: float) -> bool:
        """Add to a picture's weight."""
        held = self.mixture.weight(key) if self.mixture else 0.0
        # Steps of the keyboard are hundredths: without rounding they would drift off them.
        return self.set_weight(key, round(held + amount, 6))

    def toggle(self, *keys: str) -> bool:
        """Take pictures into the mixture, each with its equal share, or out of it if all are in it.

        The last one stays. Those that could not be read are tried again.
        """
        for key in keys:
            self.failures.pop(key, None)
        if not keys:
            return False
        if self.mixture is None:
            return self.choose(mixture=Mixture.equal(keys))
        if all(key in self.mixture for key in keys):
            return self.choose(mixture=self.mixture.drop(*keys))
        return self.choose(mixture=self.mixture.take_in(keys))

    def mute(self, *keys: str) -> bool:
        """No weight on these pictures of the mixture."""
        return self.mixture is not None and self.choose(mixture=self.mixture.mute(*keys))

    def pin(self, *keys: str) -> bool:
        """Let these pictures of the mixture keep their weight, or no longer."""
        return self.mixture is not None and self.choose(
            mixture=self.mixture.pin(*keys), seed=self.choices.seed
        )

    def equalise(self, *keys: str) -> bool:
        """The same weight on every picture that is not pinned, or on these alone."""
        return self.mixture is not None and self.choose(mixture=self.mixture.equalise(keys or None))

    def set_weights(self, weights: Mapping[str, float]) -> bool:
        """Mix these pictures with these weights, and no others; a pin stays where it is."""
        pinned = self.mixture.pinned if self.mixture else ()
        return self.choose(mixture=mixture_of(weights, pinned))

    def toggle_bookmark(self) -> bool | None:
        """Set a bookmark here, or take it away; whether there is one now, None without pictures."""
        chosen = self.choices
        if self.folder is None or chosen.mixture is None:
            return None
        return self.bookmarks.toggle(
            Bookmark(self.folder, chosen.mixture, chosen.method, chosen.prompt, chosen.seed)
        )

    def go_to_bookmark(self, by: int) -> int | None:
        """Take up the next (1) or previous (-1) bookmark's choices; its number, None without any.

        Its pictures that are no longer in the folder, or cannot be read, are left out.
        """
        found = self.bookmarks.step(self.folder, by)
        if found is None:
            return None
        number, there = found
        known = {str(path) for path in self.pictures} - self.failures.keys()
        gone = set(there.mixture.keys) - known
        if mixture := _without(there.mixture, gone):
            seed = None if gone else there.seed
            self.choose(mixture=mixture, seed=seed, method=there.method, prompt=there.prompt)
        return number

    def randomise(self, seed: int) -> bool:
        """Random weights, uniform on the simplex, on the pictures of the mixture."""
        return self.mixture is not None and self.choose(
            mixture=self.mixture.randomise(seed), seed=seed
        )

    def undo(self) -> bool:
        """Back to the choices before the last change; False where there are none."""
        return self._go_to(self._undo.back(self.choices))

    def redo(self) -> bool:
        """Forward again after an undo."""
        return self._go_to(self._undo.forward(self.choices))

    def prompts_changed(self) -> None:
        """A prompt beside a picture is another now: which latents fit must be looked up anew."""
        self._measured = Measured()

    def keep_existing(self, pictures: Iterable[Path], count: int) -> None:
        """Set the folder's pictures; a mixture keeps those of its pictures that are still there."""
        self.pictures = list(pictures)
        gone = set(self.mixture.keys if self.mixture else ()) - set(map(str, self.pictures))
        mixture = _without(self.mixture, gone) or self._first(count)
        seed = None if gone else self.choices.seed
        self.choices = replace(self.choices, mixture=mixture, seed=seed)

    def _first(self, count: int) -> Mixture | None:
        usable = [str(path) for path in self.pictures if str(path) not in self.failures]
        return Mixture.equal(usable[: max(1, count)]) if usable else None

    def _go_to(self, choices: Choices | None) -> bool:
        if choices is None:
            return False
        self.choices = choices
        self._leave_out_failed()
        return True

    def _leave_out_failed(self) -> None:
        """Pictures that could not be read leave the mixture; the others keep their proportions."""
        mixture = _without(self.mixture, self.failures)
        if mixture is not self.mixture:
            self.choices = replace(self.choices, mixture=mixture)

    def add_result(self, path: Path) -> None:
        """A picture was made: it is the one looked at."""
        self.results.append(path)
        self.shown = path

    def look_at(self, path: Path) -> bool:
        """Look at a result; False where it is not one, or is looked at already."""
        if path not in self.results or path == self.shown:
            return False
        self.shown = path
        return True

    def mark(self, path: Path) -> bool:
        """Mark a result, or unmark it; whether it is marked now."""
        if path in self.marked:
            self.marked.remove(path)
            return False
        self.marked.append(path)
        return True


def _without(mixture: Mixture | None, gone: Container[str]) -> Mixture | None:
    """What is left of a mixture, in its proportions; None where nothing is."""
    out = [key for key in mixture.keys if key in gone] if mixture else []
    return mixture.drop(*out) if mixture and len(out) < len(mixture) else None


SETTINGS = rows(Session)
"""Those of the session itself: the form shows them too, and the configuration can hold them."""
