"""The jobs on the device: what the user waits for, and what is done unasked before that.

What comes back is brought into the session. What is asked for comes before look-ups and drafts,
which nobody waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from latmix.errors import LatmixError
from latmix.jobs.engine import Engine, Job
from latmix.jobs.progress import Progress
from latmix.jobs.screen.studio import Made, MeasuredPictures, Studio, WorkingModel
from latmix.jobs.screen.variants import Variants, Wanted
from latmix.names import plural
from latmix.session.choices import Choices
from latmix.session.session import Session
from latmix.tui.work.phases import phase_of
from latmix.tui.work.work import Onlooker, Request, Work

if TYPE_CHECKING:
    from latmix.jobs.inversion import Inversion

DRAFT, LOOK_UP = "draft", "recall"

LARGEST = 256
"""Pictures of a mixture that are looked up unasked: looking up reads the whole files."""

Result = TypeVar("Result")
Steps = Callable[[], Generator[Progress, None, Result]]


class Jobs:
    """Asks the engine for a session; the answers come on the screen's thread."""

    def __init__(
        self, session: Session, studio: Studio, engine: Engine, onlooker: Onlooker
    ) -> None:
        self.work = Work(session, onlooker)
        self.working_model: WorkingModel | None = None
        self._session, self._studio = session, studio
        self._engine, self._onlooker = engine, onlooker
        self._is_warm = False
        self._seen_under, self._seen = session.choices, set[str]()

    @property
    def draft_steps(self) -> int:
        """Of a draft, which has no more than the whole."""
        return min(self._session.draft_steps, self._session.choices.steps)

    # The model

    def prepare(self) -> None:
        """Import torch and find the model."""
        self._ask("prepare", self._studio.prepare, self._prepared)

    def _prepared(self, used: WorkingModel) -> None:
        self.working_model = used
        self._ask("warm_up", self._studio.warm_up, self._warmed)
        self._onlooker.job_ended(used.note)

    def _warmed(self, _: None) -> None:
        self._is_warm = True

    def use_model(self, model: str) -> None:
        """Take another model; the session is told when it can be used."""
        self.work.stop()
        self._engine.drop(LOOK_UP, DRAFT)
        self._ask("model", lambda: self._studio.use(model), partial(self._model_used, model))

    def _model_used(self, model: str, used: WorkingModel) -> None:
        self.working_model = used
        self._session.model = model
        self.forget_look_ups()
        said = f"The model is {used.model} on {used.device} now. {used.note}"
        self._onlooker.job_ended(said, looks_up=True)

    def _ask(self, name: str, steps: Steps[Result], done: Callable[[Result], object]) -> None:
        self._engine.submit(Job(name, steps, done, self._onlooker.show_error))

    # What the user waits for

    def invert(self, then: Callable[[], object] | None = None) -> None:
        """Find the mixture's latents; `then` is called once all are there."""
        self.work.follow(then)
        paths, choices = self._session.paths(), self._session.choices
        request = Request.now(self._session, paths)
        work = partial(self._studio.invert, paths, choices)
        self._begin("invert", work, partial(self._inverted, request), request)

    def generate(self, made: Callable[[Made, Choices], object]) -> None:
        """Make the mixture's picture; inverts first where that is needed."""
        inversion = self._session.inversion
        if self._session.uninverted or inversion is None:
            self.invert(then=partial(self.generate, made))
            return

        def done(result: Made) -> None:
            self.work.go_on()
            made(result, choices)

        choices = self._session.choices
        work = partial(self._studio.generate, choices, inversion)
        self._begin("generate", work, done)

    def compare(self, wanted: Sequence[Wanted], made: Callable[[Variants], object]) -> None:
        """Make drafts of several mixtures, whose pictures have latents."""
        inversion = self._session.inversion
        if inversion is None:
            return

        def done(result: Variants) -> None:
            self.work.go_on()
            made(result)

        choices, steps = self._session.choices, self.draft_steps
        work = partial(self._studio.try_out, choices, inversion, wanted, steps)
        self._begin("compare", work, done)

    def _begin(
        self,
        name: str,
        steps: Steps[Result],
        done: Callable[[Result], object],
        request: Request | None = None,
    ) -> None:
        def finished(result: Result) -> None:
            with self.work.ending():
                done(result)

        def failed(error: LatmixError) -> None:
            with self.work.ending():
                self.work.follow(None)
                self.forget_look_ups()
                self._onlooker.show_error(error)

        def stopped() -> None:
            with self.work.ending():
                self.forget_look_ups()
                said = f"Stopped the {phase_of(name).noun}; what was finished is kept."
                self._onlooker.job_ended(said, looks_up=True)

        self._engine.drop(LOOK_UP, DRAFT)
        job = Job(name, steps, finished, failed, stopped, self.work.take_progress)
        first = Progress(name if self._is_warm else "prepare", 0, 0)
        request = request or Request.now(self._session)
        self.work.begin(self._engine.submit(job), request, first)

    def _inverted(self, request: Request, measured: MeasuredPictures) -> None:
        self._onlooker.job_ended(self._take_inverted(request, measured))

    def _take_inverted(self, request: Request, measured: MeasuredPictures) -> str:
        """Bring it into the session, and go on; returns what to say."""
        work, session = self.work, self._session
        if not request.is_for(session):
            if work.is_followed:
                work.go_on()
                return "The settings changed meanwhile: the pictures are inverted anew."
            work.follow(None)
            return "The settings changed meanwhile: i inverts under the new ones."
        self._take_measured(measured)
        said = words_of(measured.inversion)
        if any(key not in request.paths for key in session.uninverted):
            self.invert(work.following)
            return f"{said}; those added meanwhile are next."
        if not session.is_measured:
            work.follow(None)
        work.go_on()
        return f"{said}."

    # What nobody asked for

    def look_up(self) -> None:
        """Find latents of the mixture that are there already; each picture is looked up once under
        each setting."""
        session, request = self._session, Request.now(self._session)
        if self.work.is_busy:
            return
        if not self._seen_under.same_latents(request.choices):
            self.forget_look_ups()
        missing = set(session.uninverted) - self._seen
        self._seen_under = request.choices
        self._seen |= missing
        if not missing or len(missing) > LARGEST:
            return

        def take(measured: MeasuredPictures) -> None:
            if request.is_for(session):
                self._take_measured(measured)
                self._onlooker.job_ended()

        work = partial(self._studio.recall, session.paths(), request.choices)
        self._engine.submit(Job(LOOK_UP, work, take, self._onlooker.say_error, group=LOOK_UP))

    def forget_look_ups(self) -> None:
        """Look the pictures up again when next asked to."""
        self._seen_under, self._seen = self._session.choices, set[str]()

    def draft(self, made: Callable[[Variants, Choices], object]) -> None:
        """Make a draft of the mixture as it is, instead of one that is still being made."""
        self._engine.drop(DRAFT)
        session, chosen = self._session, self._session.choices
        mixture, inversion = session.mixture, session.inversion
        if self.work.is_busy or mixture is None or inversion is None or not session.is_measured:
            return

        def done(variants: Variants) -> None:
            if chosen == session.choices:
                made(variants, chosen)

        wanted = [Wanted(DRAFT, chosen.method, mixture.as_dict())]
        work = partial(self._studio.try_out, chosen, inversion, wanted, self.draft_steps)
        self._engine.submit(Job(DRAFT, work, done, self._onlooker.say_error, group=DRAFT))

    def _take_measured(self, measured: MeasuredPictures) -> None:
        self._session.measured(measured.inversion, measured.live)
        # An edit may forget what was found; it is looked up again after the edit's undo.
        self._seen -= {str(row.path) for row in measured.inversion.rows}


def words_of(inversion: Inversion) -> str:
    """What an inversion has found, without the full stop."""
    fresh = len(inversion.rows) - inversion.cached
    said = f"{plural(fresh, 'picture')} inverted in {inversion.seconds:.1f} s"
    if inversion.cached:
        said += f", {inversion.cached:,} there already"
    if inversion.failures:
        said += f"; {plural(len(inversion.failures), 'picture')} left out (✗): F says why"
    return said
