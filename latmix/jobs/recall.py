"""The job that finds which pictures have latents already, without making any."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from pathlib import Path

from latmix.errors import PictureError
from latmix.images import content_hash
from latmix.jobs.inversion import Failure, Inversion, PictureRow, PromptOf
from latmix.jobs.progress import Progress
from latmix.jobs.workbench import Workbench
from latmix.sampling.settings import InversionSettings


def recall_pictures(
    bench: Workbench, paths: Iterable[Path], settings: InversionSettings, prompt_of: PromptOf
) -> Generator[Progress, None, Inversion]:
    """The inversion of those pictures whose latents are in the store; the others are left out.

    Raises:
        StoreError: the store cannot be read.
    """
    paths = list(paths)
    space = bench.space(settings)
    start = time.monotonic()
    rows: list[PictureRow] = []
    failures: list[Failure] = []
    for done, path in enumerate(paths):
        yield Progress("recall", done, len(paths), device=str(bench.device))
        try:
            rows.append(PictureRow(path, content_hash(path), prompt_of(path)))
        except PictureError as error:
            failures.append(Failure(path, str(error)))
    absent = set(space.missing([row.key for row in rows]))
    found = tuple(row for at, row in enumerate(rows) if at not in absent)
    return Inversion(
        rows=found,
        failures=tuple(failures),
        space=space,
        settings=settings,
        cached=len(found),
        calls=0,
        seconds=time.monotonic() - start,
    )
