"""The job that fills the store: pictures to noise latents, each once, in batches."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from PIL import Image

from latmix.errors import PictureError
from latmix.jobs.pictures import Failure, PictureRow, look_up
from latmix.jobs.progress import Progress
from latmix.jobs.workbench import Workbench
from latmix.mixing.companions import Latents
from latmix.names import display_name
from latmix.prefetch import map_ahead
from latmix.sampling.batches import in_batches
from latmix.sampling.generators import watched
from latmix.sampling.pictures import invert_batch, prepare
from latmix.sampling.settings import InversionSettings
from latmix.sampling.trajectory import Call, Step
from latmix.store.companions import AccompaniedSpace

WORTH_KEEPING = 0.2
"""Seconds of work that are written at once, not with what comes after: a write takes 10 ms."""


@dataclass(frozen=True)
class Inversion:
    """Pictures whose latents are in the store.

    Attributes:
        cached: how many were there before.
        inverted: how many distinct ones were made.
        calls: network calls spent, each for a batch.
        evaluations: calls times pictures, of the batches that were finished.
        residual: the worst step's relative residual; above the tolerance a step did not converge.
    """

    rows: tuple[PictureRow, ...]
    failures: tuple[Failure, ...]
    space: AccompaniedSpace
    settings: InversionSettings
    cached: int
    calls: int
    seconds: float
    inverted: int = 0
    residual: float = 0.0
    evaluations: int = 0

    @cached_property
    def keys(self) -> list[str]:
        """Of its pictures' latents, in their order: a hash each, so they are kept."""
        return [row.key for row in self.rows]

    def read(self, rows: Sequence[PictureRow]) -> Latents:
        """The latents of some of its pictures, companions and all.

        Raises:
            KeyError, StoreError: as `LatentSpace.read`.
        """
        keys = [row.key for row in rows]
        companions = {name: self.space.companion(name).read(keys) for name in self.space.companions}
        return Latents(self.space.read(keys), companions, self.settings.steps)


Looked = tuple[PictureRow, Image.Image | None]
"""A picture that was looked up, with its pixels where it has no latent."""


@dataclass(frozen=True)
class InversionRules:
    """Which pictures are inverted, and what is told of it.

    Attributes:
        count: how many pictures are wanted; None is all.
        strict: raise the first failure instead of collecting it.
        resume: keep latents that are stored already; False inverts them again.
        preview: decode a picture of the batch at work now and then.
    """

    count: int | None = None
    strict: bool = False
    resume: bool = True
    preview: bool = False


def invert_pictures(
    bench: Workbench,
    pictures: Iterable[Path | PictureRow],
    settings: InversionSettings,
    template: str,
    rules: InversionRules = InversionRules(),
) -> Generator[Progress, None, Inversion]:
    """Make sure that the first readable pictures have latents in the store.

    A picture that cannot be read is named among the failures and passed over. Latents are written
    as batches finish, so that a job that is stopped continues where it was.

    Args:
        pictures: files, or rows whose content and prompt are known already.
        template: of the prompts of files (`jobs.pictures.prompt_for`).

    Raises:
        PictureError: under `strict`, the first failure. StoreError, ModelError: as their rooms.
    """
    pictures, batch = list(pictures), bench.batch
    start = time.monotonic()
    work = _Work(bench, bench.space(settings), settings, rules, len(pictures))
    with work.space:
        parts = [pictures[first : first + batch] for first in range(0, len(pictures), batch)]
        with closing(map_ahead(parts, partial(work.look, template), 1)) as looked:
            each = (pair for part, some in looked for pair in zip(part, some.result(), strict=True))
            while len(work.rows) < work.wanted and (found := next(each, None)):
                work.take(*found)
                if len(work.pending) == batch:
                    yield from work.invert_pending()
                yield work.progress()
        yield from work.invert_pending()
    return Inversion(
        rows=tuple(work.rows),
        failures=tuple(work.failures),
        space=work.space,
        settings=settings,
        cached=work.cached,
        calls=work.calls,
        seconds=time.monotonic() - start,
        inverted=len(work.made),
        residual=work.residual,
        evaluations=work.evaluations,
    )


@dataclass
class _Work:
    """An inversion under way."""

    bench: Workbench
    space: AccompaniedSpace
    settings: InversionSettings
    rules: InversionRules
    offered: int
    rows: list[PictureRow] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    pending: dict[str, tuple[PictureRow, Image.Image]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    cached: int = 0
    calls: int = 0
    evaluations: int = 0
    residual: float = 0.0

    @property
    def wanted(self) -> int:
        """Pictures that are to have latents."""
        count = self.rules.count
        return self.offered if count is None else min(count, self.offered)

    def look(
        self, template: str, pictures: Sequence[Path | PictureRow]
    ) -> list[Looked | PictureError]:
        """Look pictures up together, and read those without a latent for the next batch; for each
        that cannot be used, why. Called in another thread."""
        rows = [look_up(picture, template) for picture in pictures]
        keys = [row.key for row in rows if isinstance(row, PictureRow)]
        lost = self.space.missing(keys) if self.rules.resume else range(len(keys))
        absent = {keys[index] for index in lost}
        return [self._pixels(row, absent) if isinstance(row, PictureRow) else row for row in rows]

    def _pixels(self, row: PictureRow, absent: set[str]) -> Looked | PictureError:
        if row.key not in absent:
            return row, None
        try:
            return row, prepare(row.path, self.settings)
        except PictureError as error:
            return error

    def take(self, picture: Path | PictureRow, looked: Looked | PictureError) -> None:
        """Put a picture into the next batch; note why it cannot be used."""
        if isinstance(looked, PictureError):
            self._leave_out(picture if isinstance(picture, Path) else picture.path, looked)
            return
        row, image = looked
        if row.key not in self.pending and row.key not in self.made:
            if image is None:
                self.cached += 1
            else:
                self.pending[row.key] = (row, image)
        self.rows.append(row)

    def invert_pending(self) -> Generator[Progress, None, None]:
        """Invert the pictures that wait, together, and put their latents into the store."""
        if not self.pending:
            return
        yield from self.bench.loaded()
        count = len(self.pending)
        limit = self.bench.limit_for(self.settings.size)
        yield from in_batches(count, count, limit, self._invert_first)

    def _invert_first(self, part: range) -> Generator[Progress, None, None]:
        """Invert so many of the pictures that wait, the first ones."""
        chosen = list(self.pending.values())[: len(part)]
        rows, pictures = [row for row, _ in chosen], [picture for _, picture in chosen]
        steps = invert_batch(
            self.bench.model, pictures, [row.prompt for row in rows], self.settings
        )
        start, before = time.monotonic(), self.calls
        latents = yield from watched(steps, self.progress)
        self.evaluations += (self.calls - before) * len(rows)
        for index, row in enumerate(rows):
            self._keep(row, latents, index)
            del self.pending[row.key]
        if time.monotonic() - start >= WORTH_KEEPING:
            self.space.flush()

    def progress(self, step: Step | Call | None = None) -> Progress:
        """What to tell after a step, within one, or between batches."""
        preview = None
        if isinstance(step, Step):
            preview = self._preview(step) if self.rules.preview else None
            self.calls += step.calls
            self.residual = max(self.residual, step.residual)
        waiting = len(self.pending)
        return Progress(
            phase="invert",
            done=max(0, len(self.rows) - waiting),
            total=min(self.wanted, self.offered - len(self.failures)),
            step=step.done if step else 0,
            steps=step.total if step else 0,
            active=waiting if step else 0,
            device=str(self.bench.device),
            note=self._note(),
            picture=self._at_work() if step else "",
            preview=preview,
        )

    def _preview(self, step: Step) -> Image.Image | None:
        preview = self.bench.preview
        if step.done == 1:
            # A step from the clean latents they still are these pictures'.
            waiting = [picture for _, picture in self.pending.values()]
            preview.learn(step.clean, waiting[: len(step.clean)])
        return preview.show(self.bench.model, step.clean[0]) if preview.is_due else None

    def _note(self) -> str:
        counts = {"cached": self.cached, "left out": len(self.failures)}
        said = [f"{count} {what}" for what, count in counts.items() if count]
        most = self.bench.limit.most
        return ", ".join(said + ([f"memory for {most} at a time"] if most else []))

    def _at_work(self) -> str:
        """The first picture of the batch at work, and how many go with it."""
        first = next((row.path.name for row, _ in self.pending.values()), "")
        others = len(self.pending) - 1
        return display_name(first) + (f" +{others}" if others > 0 else "")

    def _keep(self, row: PictureRow, latents: Latents, index: int) -> None:
        companions = {name: value[index] for name, value in latents.companions.items()}
        try:
            self.space.add(row.key, latents.noise[index], companions)
            self.made.add(row.key)
        except ValueError as error:
            self.rows = [other for other in self.rows if other.key != row.key]
            reason = PictureError(f"{display_name(row.path)}: its latent is not finite ({error})")
            self._leave_out(row.path, reason)

    def _leave_out(self, path: Path, error: PictureError) -> None:
        if self.rules.strict:
            raise error
        self.failures.append(Failure(path, str(error)))
