"""The jobs that nobody asked for: latents that are there already are looked up, drafts are made.

Whatever is asked for comes before them. Only `work` builds on it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from latmix.jobs.engine import Engine, JobEvent
from latmix.jobs.screen.studio import Measured, Studio
from latmix.jobs.screen.variants import Wanted
from latmix.session.choices import Choices
from latmix.session.session import Session
from latmix.tui.work.asked import Asked
from latmix.tui.work.desk import Desk

LOOKED_UP_AT_MOST = 256
"""Pictures of a mixture that are looked up unasked: looking up reads the whole files."""


class Unasked(Desk):
    """A desk, with the engine that owns the device and what it does while nothing is asked."""

    def __init__(self, session: Session, studio: Studio, tell: Callable[[JobEvent], None]) -> None:
        super().__init__(session, tell)
        self.asked: Asked | None = None
        self._studio = studio
        self._engine = Engine(tell)
        self._recall: Asked | None = None
        self._draft: Asked | None = None
        self._looked_up: tuple[Choices, set[str]] = (session.choices, set())

    @property
    def is_busy(self) -> bool:
        """Whether a job that the user asked for is under way."""
        return self.asked is not None

    def recall(self) -> None:
        """Look up pictures of the mixture that may have latents, once under each setting."""
        session = self.session
        choices, seen = self._looked_up
        if not choices.same_latents(session.choices):
            seen = set()
        missing = [key for key in session.uninverted if key not in seen]
        self._looked_up = (session.choices, seen | set(missing))
        if not missing or self.is_busy or len(missing) > LOOKED_UP_AT_MOST:
            return
        self._drop_recall()
        paths, choices = session.paths(), session.choices
        job = self._engine.submit("recall", lambda: self._studio.recall(paths, choices))
        self._recall = Asked(job, "recall", session.folder, session.choices)

    def forget_look_ups(self) -> None:
        """Look the pictures up again when next asked to."""
        self._looked_up = (self.session.choices, set())

    def draft(self) -> None:
        """Make a draft of the mixture as it is, instead of one that is still being made."""
        self._drop_draft()
        session, mixture = self.session, self.session.mixture
        inversion, steps = session.inversion, session.draft_steps
        if self.is_busy or mixture is None or inversion is None or not session.is_measured:
            return
        wanted = [Wanted("draft", session.choices.method, mixture.as_dict())]
        work = partial(self._studio.try_out, session.choices, inversion, wanted, steps)
        job = self._engine.submit("draft", work)
        self._draft = Asked(job, "draft", session.folder, session.choices)

    def is_wanted_draft(self, event: JobEvent) -> bool:
        """Whether it is the last draft asked for, of the mixture as it still is."""
        asked = self._draft
        return (
            asked is not None and asked.job == event.job and asked.choices == self.session.choices
        )

    def _drop_unasked(self) -> None:
        """Whatever is asked for now makes them useless, or comes first."""
        self._drop_recall()
        self._drop_draft()

    def _drop_recall(self) -> None:
        if self._recall is not None:
            self._engine.cancel(self._recall.job)
            self._recall = None

    def _drop_draft(self) -> None:
        if self._draft is not None:
            self._engine.cancel(self._draft.job)
            self._draft = None

    def _take_recalled(self, job: int, measured: Measured) -> None:
        asked = self._recall
        if asked is not None and job == asked.job and asked.is_for(self.session):
            self._recall = None
            self._take_measured(measured)

    def _take_measured(self, measured: Measured) -> None:
        """What was found may be forgotten by an edit, and is looked up again after its undo."""
        self.session.measured(measured.inversion, measured.live)
        choices, seen = self._looked_up
        self._looked_up = (choices, seen - {str(row.path) for row in measured.inversion.rows})
