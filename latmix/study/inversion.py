"""How well each solver's inversions come back: solvers by steps by guidance, against their cost.

A trial inverts some pictures, generates them again and compares. What it found is kept as a file,
so that a study that was stopped goes on, and one more solver costs its own trials only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from latmix.disk import make_folder, read_json
from latmix.errors import PictureError
from latmix.images.files import content_hash
from latmix.jobs.inversion import invert_pictures
from latmix.jobs.measurement import measure_health
from latmix.jobs.pictures import Failure, PictureRow, prompt_for
from latmix.jobs.progress import Progress
from latmix.jobs.roundtrip import Likeness, RoundTrip, round_trips, trip_json
from latmix.jobs.workbench import INVERSION_VERSION, Workbench
from latmix.measures.intervals import Estimate, estimate
from latmix.mixing.health import Health
from latmix.names import plural
from latmix.sampling.generators import drained, watched
from latmix.sampling.pictures import prepare
from latmix.sampling.settings import GenerationSettings, InversionSettings
from latmix.sampling.solvers import find_solver
from latmix.study.cost import NetworkCost, call_seconds, calls_each
from latmix.study.tables import write_json


@dataclass(frozen=True)
class Trial:
    """One way of inverting pictures and of generating them again.

    Attributes:
        guidance: both ways, but for solvers that invert at 1 only.
    """

    solver: str
    steps: int
    guidance: float

    @property
    def file_name(self) -> str:
        """Of what is kept of it."""
        return f"{self.solver}-{self.steps}-g{self.guidance:g}.json"

    def inversion(self, like: InversionSettings) -> InversionSettings:
        """Its settings, with the size, fit and negative prompt of others."""
        scale = 1.0 if find_solver(self.solver).replaces_negative else self.guidance
        return replace(like, solver=self.solver, steps=self.steps, guidance=scale)

    def generation(self, like: InversionSettings) -> GenerationSettings:
        generates = find_solver(self.solver).generates
        return GenerationSettings(self.guidance, self.steps, like.negative, generates)


@dataclass(frozen=True)
class Tried:
    """What a trial found.

    Attributes:
        inverting, generating: network evaluations for a picture; guidance may double them.
        trips: of the pictures whose latents are finite.
        health: mean of those latents; None if there are none.
        left_out: pictures whose latents are not finite: the solver diverged.
        kept: found before.
    """

    trial: Trial
    inverting: float
    generating: float
    trips: tuple[RoundTrip, ...]
    health: Health | None
    left_out: int
    kept: bool = False

    @property
    def evaluations(self) -> float:
        """Of a round trip."""
        return self.inverting + self.generating

    def decibels(self, figure: str) -> Estimate | None:
        """Mean PSNR of a figure of `Likeness` over the pictures, with its 95 % interval."""
        if not self.trips:
            return None
        values = [getattr(trip["psnr"], figure) for trip in self.trips]
        return estimate(torch.tensor(values, dtype=torch.float64))

    def as_json(self) -> dict[str, Any]:
        return {
            "inverting": self.inverting,
            "generating": self.generating,
            "trips": [trip_json(trip) for trip in self.trips],
            "health": self.health.as_json() if self.health else None,
            "left_out": self.left_out,
        }


@dataclass(frozen=True)
class Trying:
    """What all trials of a study have in common.

    Attributes:
        rows: the pictures.
        like: size, fit and negative prompt.
        folder: where what they found is kept.
    """

    rows: tuple[PictureRow, ...]
    like: InversionSettings
    folder: Path


@dataclass(frozen=True)
class TrialCost(NetworkCost):
    """What is left to do.

    Attributes:
        trials, left: all of them, and those not kept.
    """

    trials: int
    left: int

    def __str__(self) -> str:
        return self.told(f"to try: {self.left:,} of {plural(self.trials, 'trial')}")


def readable_rows(
    paths: Iterable[Path], settings: InversionSettings, template: str, count: int
) -> Generator[Progress, None, tuple[tuple[PictureRow, ...], list[Failure]]]:
    """The first `count` distinct pictures that can be read, and those passed over with reasons."""
    rows: dict[str, PictureRow] = {}
    failures: list[Failure] = []
    for path in paths:
        if len(rows) == count:
            break
        yield Progress("read", len(rows), count)
        try:
            prepare(path, settings)
            row = PictureRow(path, content_hash(path), prompt_for(path, template))
            rows.setdefault(row.key, row)
        except PictureError as error:
            failures.append(Failure(path, str(error)))
    return tuple(rows.values()), failures


def try_all(
    bench: Workbench, trials: Sequence[Trial], trying: Trying
) -> Generator[Progress, None, list[Tried]]:
    """Make the trials that were not made before.

    Raises:
        LatmixError: what was found cannot be written, or a picture no longer be read.
    """
    make_folder(trying.folder)
    found: list[Tried] = []
    counted: dict[str, float] = {}
    for trial in trials:
        tried = _kept(bench, trial, trying)
        if tried is None:
            job = _try(bench, trial, trying, counted)
            tried = yield from watched(job, _of_all(trial, len(found), len(trials)))
            content = {"of": _identity(bench, trial, trying), "found": tried.as_json()}
            write_json(trying.folder / trial.file_name, content)
        counted.setdefault(_latents_of(trial, trying), tried.inverting)
        found.append(tried)
    return found


def estimate_trials(bench: Workbench, trials: Sequence[Trial], trying: Trying) -> TrialCost:
    """Look what is kept and what latents are stored, and measure a network call if one is needed.

    Raises:
        LatmixError: the model cannot be loaded, or the store not be read.
    """
    left = [trial for trial in trials if _kept(bench, trial, trying) is None]
    batch = min(bench.batch, len(trying.rows))
    if left:
        batch = bench.limit_for(trying.like.size).size(batch)
    spaces: set[str] = set()
    calls = 0.0
    for trial in left:
        settings = trial.inversion(trying.like)
        inverting, generating = calls_each(settings, trial.generation(trying.like), bench.source)
        missing = bench.space(settings).missing([row.key for row in trying.rows])
        if _latents_of(trial, trying) not in spaces:
            calls += inverting * -(-len(missing) // batch)
        spaces.add(_latents_of(trial, trying))
        calls += generating * -(-len(trying.rows) // batch)
    call = call_seconds(bench, trying.like, batch) if left else 0.0
    return TrialCost(round(calls), call, calls * call, len(trials), len(left))


def _try(
    bench: Workbench, trial: Trial, trying: Trying, counted: dict[str, float]
) -> Generator[Progress, None, Tried]:
    settings, generation = trial.inversion(trying.like), trial.generation(trying.like)
    # Rows have prompts of their own already.
    inversion = yield from invert_pictures(bench, trying.rows, settings, "")
    inverting, generating = calls_each(settings, generation, bench.source)
    doubled = inverting / (settings.steps * find_solver(settings.solver).calls)
    if inversion.inverted:
        inverting = doubled * inversion.evaluations / inversion.inverted
    else:
        inverting = counted.get(_latents_of(trial, trying), inverting)
    left_out = len(trying.rows) - len(inversion.rows)
    if not inversion.rows:
        return Tried(trial, inverting, generating, (), None, left_out)
    trips = yield from round_trips(bench, inversion, guidance=trial.guidance)
    health = Health.mean(drained(measure_health(inversion)))
    return Tried(trial, inverting, generating, trips, health, left_out)


def _kept(bench: Workbench, trial: Trial, trying: Trying) -> Tried | None:
    """What this very trial found before, or nothing."""
    try:
        content = read_json(trying.folder / trial.file_name)
        if content["of"] != _identity(bench, trial, trying):
            return None
        found = content["found"]
        trips = tuple(
            {name: Likeness(**trip[name]) for name in ("psnr", "ssim")} for trip in found["trips"]
        )
        latents = found["health"]
        if latents:
            latents = Health(**(latents | {"channel_mean": tuple(latents["channel_mean"])}))
        costs = float(found["inverting"]), float(found["generating"])
        return Tried(trial, *costs, trips, latents, int(found["left_out"]), kept=True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _identity(bench: Workbench, trial: Trial, trying: Trying) -> dict[str, Any]:
    """All that what a trial finds depends on, as JSON gives it back."""
    return {
        "version": INVERSION_VERSION,
        "fingerprint": bench.source.fingerprint,
        "dtype": bench.dtype,
        "inversion": trial.inversion(trying.like).as_json(),
        "generation": trial.generation(trying.like).as_json(),
        "pictures": [row.key for row in trying.rows],
    }


def _latents_of(trial: Trial, trying: Trying) -> str:
    """What the latents of a trial depend on: two solvers may invert the same way."""
    settings = trial.inversion(trying.like).as_json()
    return json.dumps(find_solver(trial.solver).key(settings, tolerance=0.0))


def _of_all(trial: Trial, before: int, total: int) -> Callable[[Progress], Progress]:
    """A trial's progress as that of all of them."""

    def tell(seen: Progress) -> Progress:
        note = f"{trial.solver}, {trial.steps} steps, guidance {trial.guidance:g}"
        return replace(seen, done=before, total=total, active=1 if seen.steps else 0, note=note)

    return tell
