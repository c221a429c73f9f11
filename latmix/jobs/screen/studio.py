"""The explorer's jobs: a workbench that is made when first needed, and the whole loop on it.

Only the engine's thread may call a studio. Nothing heavy is imported before a job runs, so that the
terminal UI paints before torch is loaded.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from latmix.errors import LatmixError
from latmix.jobs.imports import import_networks, import_numerics
from latmix.jobs.progress import Progress
from latmix.jobs.screen.meter import Meter
from latmix.jobs.screen.pictures import for_screen
from latmix.names import display_name
from latmix.sampling.generators import watched
from latmix.session.choices import Choices
from latmix.session.machine import Machine

if TYPE_CHECKING:
    from PIL import Image

    from latmix.config import Config
    from latmix.jobs.inversion import Inversion
    from latmix.jobs.screen.variants import Variants, Wanted
    from latmix.jobs.workbench import Workbench
    from latmix.mixing.live import LiveStatistics
    from latmix.mixing.statistics import Statistics

Result = TypeVar("Result")


@dataclass(frozen=True)
class WorkingModel:
    """Where the jobs work: which model, and on what.

    Attributes:
        is_built_in: it knows emoji only.
        note: why another than the configured model is used, or nothing.
    """

    model: str
    is_built_in: bool
    device: str
    dtype: str
    note: str = ""


@dataclass(frozen=True)
class MeasuredPictures:
    """Pictures with latents, and what computes their mixtures' statistics (None without any)."""

    inversion: Inversion
    live: LiveStatistics | None


@dataclass(frozen=True)
class Made:
    """A result that was written; the picture is small enough for a screen."""

    path: Path
    picture: Image.Image
    statistics: Statistics
    seconds: float


class Studio:
    """The one workbench of a running explorer."""

    def __init__(self, config: Config, model: str, machine: Machine) -> None:
        """Nothing is looked for or loaded yet."""
        self._config, self._model, self._machine = config, model, machine
        self._bench: Workbench | None = None

    def prepare(self) -> Generator[Progress, None, WorkingModel]:
        """Import the numerics and find the model, without loading its weights.

        Raises:
            LatmixError: the model, device or dtype cannot be used.
        """
        from latmix.models.catalogue import is_built_in

        bench = yield from self._made()
        wanted = self._config.model
        knows_emoji = is_built_in(bench.source.name)
        other = self._model == "auto" and wanted not in ("", bench.source.name) and knows_emoji
        return WorkingModel(
            model=bench.source.name,
            is_built_in=knows_emoji,
            device=str(bench.device),
            dtype=bench.dtype,
            note=f"{display_name(wanted)} is not on this machine" if other else "",
        )

    def warm_up(self) -> Generator[Progress, None, None]:
        """Import what the first inversion will need, while the user looks around."""
        yield Progress("prepare", 0, 0)
        bench = yield from self._made()
        bench.before_loading(bench.source.networks.values())

    def recall(
        self, paths: Sequence[Path], choices: Choices
    ) -> Generator[Progress, None, MeasuredPictures]:
        """Statistics of those pictures that have latents already; inverts nothing.

        Raises:
            LatmixError: as `prepare`, or a latent is damaged.
        """
        from latmix.jobs.recall import recall_pictures

        bench = yield from self._made()
        settings, _ = choices.for_model(bench.source)
        work = recall_pictures(bench, paths, settings, choices.prompt)
        return (yield from _measured(work))

    def invert(
        self, paths: Sequence[Path], choices: Choices
    ) -> Generator[Progress, None, MeasuredPictures]:
        """Latents of pictures, each made once, with their statistics.

        Raises:
            LatmixError: as `prepare`; no picture can be read; the store refuses.
        """
        from latmix.jobs.inversion import InversionRules, invert_pictures

        bench = yield from self._made()
        settings, rules = choices.for_model(bench.source)[0], InversionRules(preview=True)
        work = invert_pictures(bench, paths, settings, choices.prompt, rules)
        return (yield from _measured(_for_screen(bench, work)))

    def generate(self, choices: Choices, inversion: Inversion) -> Generator[Progress, None, Made]:
        """The picture of the mixture that is chosen, written with its recipe among the results.

        Raises:
            LatmixError: as `prepare`; nothing that has weight is inverted; it cannot be written.
        """
        from latmix.disk import make_folder
        from latmix.jobs.generation import generate_mixtures
        from latmix.jobs.recipes import build_recipe
        from latmix.jobs.stored_mixtures import mix_stored
        from latmix.mixing.grid import parse_method
        from latmix.results.names import free_name, output_name
        from latmix.results.recipes import write_result

        bench = yield from self._made()
        mixture = choices.mixture.as_dict() if choices.mixture else {}
        rows = tuple(row for row in inversion.rows if mixture.get(str(row.path), 0.0) > 0)
        if not rows:
            raise LatmixError("No picture of the mixture has weight.", "Give one some: = or l.")
        inversion = replace(inversion, rows=rows)
        weights = [mixture[str(row.path)] for row in rows]
        _, settings = choices.for_model(bench.source)
        mixed = mix_stored(inversion, [weights], parse_method(choices.method))
        made = yield from _for_screen(
            bench, generate_mixtures(bench, inversion, mixed, settings, preview=True)
        )
        recipe = build_recipe(bench, inversion, weights, settings, choices)
        name = output_name([row.path for row in rows], choices.method)
        make_folder(self._config.results)
        path = free_name(self._config.results / name)
        write_result(made.pictures[0], path, recipe)
        small = for_screen(made.pictures[0])
        return Made(path, small, mixed.statistics[0], made.seconds)

    def try_out(
        self, choices: Choices, inversion: Inversion, wanted: Sequence[Wanted], steps: int
    ) -> Generator[Progress, None, Variants]:
        """Drafts of several ways to mix the same latents, in one batch; nothing is written.

        Args:
            steps: of a draft; never more than a result's.

        Raises:
            LatmixError: as `prepare`; nothing can be made of any.
        """
        from latmix.jobs.screen.variants import as_drafts, make_variants

        bench = yield from self._made()
        weighted = {path for one in wanted for path, weight in one.weights.items() if weight > 0}
        rows = tuple(row for row in inversion.rows if str(row.path) in weighted)
        settings = as_drafts(choices.for_model(bench.source)[1], steps)
        held = replace(inversion, rows=rows)
        made = yield from _for_screen(bench, make_variants(bench, held, wanted, settings))
        small = [
            replace(one, picture=for_screen(one.picture) if one.picture else None)
            for one in made.variants
        ]
        return replace(made, variants=tuple(small))

    def use(self, model: str) -> Generator[Progress, None, WorkingModel]:
        """Take another model; where it cannot be used the old one stays.

        Raises:
            LatmixError: as `prepare`.
        """
        held = self._model, self._bench
        self._model, self._bench = model, None
        try:
            return (yield from self.prepare())
        except BaseException:
            self._model, self._bench = held
            raise

    def _made(self) -> Generator[Progress, None, Workbench]:
        """The workbench; the first time, torch is imported and the model looked for."""
        if self._bench is None:
            from latmix.models.source import find_model

            source = find_model(self._model, self._config.model)
            yield Progress("prepare", 0, 0, note="starting torch")
            import_numerics()
            from latmix.jobs.workbench import Workbench
            from latmix.models.tiny_autoencoder import tiny_for
            from latmix.sampling.preview import Preview
            from latmix.store.latents import LatentStore

            store = LatentStore(self._config.home)
            self._bench = Workbench(source, store, self._machine, before_loading=import_networks)
            tiny = tiny_for(source, self._config.preview_vae)
            if tiny:
                place = self._bench.device
                self._bench.preview = Preview(decoder=lambda: tiny.load(place))
        return self._bench


def _measured(
    work: Generator[Progress, None, Inversion],
) -> Generator[Progress, None, MeasuredPictures]:
    from latmix.jobs.measurement import measure

    inversion = yield from work
    live = (yield from measure(inversion)) if inversion.rows else None
    return MeasuredPictures(inversion, live)


def _for_screen(
    bench: Workbench, job: Generator[Progress, None, Result]
) -> Generator[Progress, None, Result]:
    """The job with its previews made small here, so that the screen's thread need not, and with
    what the machine is busy with beside the device."""
    meter = Meter(str(bench.device))

    def tell(progress: Progress) -> Progress:
        return replace(
            progress,
            device=meter.text(),
            preview=for_screen(progress.preview) if progress.preview else None,
        )

    return watched(job, tell)
