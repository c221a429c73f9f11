"""The choices before and after the present ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from latmix.session.choices import Choices

UNDO_DEPTH = 500


@dataclass
class Undo:
    """What an undo goes back to and a redo forward, the nearest last."""

    _past: list[Choices] = field(default_factory=list)
    _future: list[Choices] = field(default_factory=list)

    def keep(self, choices: Choices) -> None:
        """Others take the place of these: they can be gone back to, and no longer forward."""
        self._past = [*self._past[-UNDO_DEPTH + 1 :], choices]
        self._future.clear()

    def back(self, present: Choices) -> Choices | None:
        """The choices before the present ones, or None."""
        return self._step(present, self._past, self._future)

    def forward(self, present: Choices) -> Choices | None:
        """The choices that were gone back from, or None."""
        return self._step(present, self._future, self._past)

    @staticmethod
    def _step(present: Choices, source: list[Choices], target: list[Choices]) -> Choices | None:
        if not source:
            return None
        target.append(present)
        return source.pop()
