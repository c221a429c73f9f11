"""Everything the program knows while it is open: pictures, choices with undo, statistics, results.

Widgets render it and post intentions; jobs fill it. It is saved when something changes and resumed
at the next start. Needs no torch: what computes is handed in by a job (`Session.measured`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from latmix.mixing.grid import parse_method
from latmix.mixing.mixture import Mixture, mixture_of
from latmix.session.bookmarks import Bookmark
from latmix.session.choices import Choices
from latmix.session.measured import Known
from latmix.session.shell import arguments, shell_command

UNDO_DEPTH = 500


@dataclass
class Session(Known):
    """The state of the program. Not thread-safe: the front end's thread alone changes it."""

    _undo: list[Choices] = field(default_factory=list)
    _redo: list[Choices] = field(default_factory=list)

    def open_folder(self, folder: Path, pictures: Iterable[Path], count: int) -> None:
        """Start on a folder's pictures with an equal mixture of the first `count`."""
        self.folder, self.pictures = folder, list(pictures)
        self._forget_latents()
        self.failures.clear()
        self.choose(mixture=self._first(count))
        self._undo.clear()
        self._redo.clear()

    def choose(self, **changes: Any) -> bool:
        """Change choices by name; False where nothing changes.

        A mixture that comes without a seed was not drawn at random: the old seed goes.

        Raises:
            ValueError: an unknown method.
        """
        if "mixture" in changes:
            changes.setdefault("seed", None)
        changed = replace(self.choices, **changes)
        parse_method(changed.method)
        if changed == self.choices:
            return False
        self._undo = [*self._undo[-UNDO_DEPTH + 1 :], self.choices]
        self._redo.clear()
        self._move_to(changed)
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
        gone = [key for key in there.mixture.keys if key not in known]
        if len(gone) < len(there.mixture):
            mixture = there.mixture.drop(*gone)
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
        return self._travel(self._undo, self._redo)

    def redo(self) -> bool:
        """Forward again after an undo."""
        return self._travel(self._redo, self._undo)

    def command(self) -> str:
        """The shell command that makes this mixture without a screen."""
        return shell_command(arguments(self))

    def prompts_changed(self) -> None:
        """A prompt beside a picture is another now: which latents fit must be looked up anew."""
        self._forget_latents()

    def use_model(self, model: str) -> None:
        """Take another model: its latents are others."""
        if model != self.model:
            self.model = model
            self._forget_latents()

    def keep_existing(self, pictures: Iterable[Path], count: int) -> None:
        """Set the folder's pictures; a mixture keeps those of its pictures that are still there."""
        self.pictures = list(pictures)
        there = {str(path) for path in self.pictures}
        mixture, held = self.mixture, self.mixture.keys if self.mixture else ()
        gone = [key for key in held if key not in there]
        if mixture is None or len(gone) == len(held):
            mixture = self._first(count)
        mixture = mixture.drop(*gone) if mixture else None
        seed = None if gone else self.choices.seed
        self.choices = replace(self.choices, mixture=mixture, seed=seed)

    def _first(self, count: int) -> Mixture | None:
        usable = [str(path) for path in self.pictures if str(path) not in self.failures]
        return Mixture.equal(usable[: max(1, count)]) if usable else None

    def _travel(self, source: list[Choices], target: list[Choices]) -> bool:
        if not source:
            return False
        target.append(self.choices)
        self._move_to(source.pop())
        self._leave_out_failed()
        return True

    def _move_to(self, choices: Choices) -> None:
        if not self.choices.same_latents(choices):
            self._forget_latents()
        self.choices = choices
