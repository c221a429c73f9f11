"""The job that finds which pictures have latents already, without making any."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from pathlib import Path

from latmix.jobs.inversion import Inversion
from latmix.jobs.pictures import Failure, PictureRow, look_up
from latmix.jobs.progress import Progress
from latmix.jobs.workbench import Workbench
from latmix.sampling.settings import InversionSettings


def recall_pictures(
    bench: Workbench, paths: Iterable[Path], settings: InversionSettings, template: str
) -> Generator[Progress, None, Inversion]:
    """The inversion of those pictures whose latents are in the store; the others are left out.

    Args:
        template: as `invert_pictures` has it.

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
        found = look_up(path, template)
        if isinstance(found, PictureRow):
            rows.append(found)
        else:
            failures.append(Failure(path, str(found)))
    absent = set(space.missing([row.key for row in rows]))
    kept = tuple(row for at, row in enumerate(rows) if at not in absent)
    seconds = time.monotonic() - start
    return Inversion(kept, tuple(failures), space, settings, len(kept), calls=0, seconds=seconds)
