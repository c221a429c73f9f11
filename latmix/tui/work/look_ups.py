"""Latents that are there already, looked up unasked while nothing is at work."""

from __future__ import annotations

from collections.abc import Callable

from latmix.errors import LatmixError
from latmix.jobs.engine import Engine, Job
from latmix.jobs.screen.studio import Measured, Studio
from latmix.session.session import Session

LARGEST = 256
"""Pictures of a mixture that are looked up unasked: looking up reads the whole files."""

LOOK_UP = "recall"


class LookUps:
    """Looks pictures up once under each setting; only the last look-up is answered."""

    def __init__(self, session: Session, studio: Studio, engine: Engine) -> None:
        self._session, self._studio, self._engine = session, studio, engine
        self.forget()

    def forget(self) -> None:
        """Look the pictures up again when next asked to."""
        self._choices, self._seen = self._session.choices, set[str]()

    def look_up(
        self, found: Callable[[Measured], object], failed: Callable[[LatmixError], object]
    ) -> None:
        """Look up pictures of the mixture that may have latents."""
        session = self._session
        asked, folder = session.choices, session.folder
        if not self._choices.same_latents(asked):
            self.forget()
        missing = set(session.uninverted) - self._seen
        self._choices = asked
        self._seen |= missing
        if not missing or len(missing) > LARGEST:
            return

        def take(measured: Measured) -> None:
            if folder == session.folder and asked.same_latents(session.choices):
                found(measured)

        paths = session.paths()
        job = Job(LOOK_UP, lambda: self._studio.recall(paths, asked), take, failed, group=LOOK_UP)
        self._engine.submit(job)

    def may_be_forgotten(self, measured: Measured) -> None:
        """An edit may forget what was found; it is looked up again after the edit's undo."""
        self._seen -= {str(row.path) for row in measured.inversion.rows}
