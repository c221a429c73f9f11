"""A job that the user asked for and can stop, and what to say of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latmix.names import plural
from latmix.session.choices import Choices
from latmix.session.session import Session

if TYPE_CHECKING:
    from latmix.jobs.inversion import Inversion

FOREGROUND = ("invert", "generate", "compare")

NOUNS = {"invert": "inversion", "generate": "generation", "compare": "comparison"}


@dataclass(frozen=True)
class Asked:
    """A job in the foreground, with the state it was asked in and the pictures it is for."""

    job: int
    kind: str
    folder: Path | None
    choices: Choices
    paths: frozenset[str] = frozenset()

    def is_for(self, session: Session) -> bool:
        """Whether the session still wants such latents, of that folder."""
        return self.folder == session.folder and self.choices.same_latents(session.choices)


def words_of(inversion: Inversion) -> str:
    """What an inversion has found, without the full stop."""
    fresh = len(inversion.rows) - inversion.cached
    said = f"{plural(fresh, 'picture')} inverted in {inversion.seconds:.1f} s"
    if inversion.cached:
        said += f", {inversion.cached:,} there already"
    if inversion.failures:
        said += f"; {plural(len(inversion.failures), 'picture')} left out (✗): F says why"
    return said
