"""From options to a run: the pictures, the workbench, the settings, and the pictures' latents."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from latmix.cli import console
from latmix.cli.command import Given
from latmix.cli.driving import drive
from latmix.cli.options import ModelOptions, PictureOptions
from latmix.errors import LatmixError, UsageError
from latmix.names import display_name
from latmix.sampling.solvers import find_solver
from latmix.session.choices import SETTINGS, Choices
from latmix.session.machine import Machine

if TYPE_CHECKING:
    from latmix.config import Config
    from latmix.jobs.inversion import Inversion
    from latmix.jobs.progress import Progress
    from latmix.jobs.workbench import Workbench
    from latmix.models.source import ModelSource
    from latmix.sampling.settings import GenerationSettings, InversionSettings

Result = TypeVar("Result")

PICTURE_KEPT = 0.2
"""Scale of the picture at the noisiest level from which latents are far from noise: 50 steps of
Stable Diffusion leave 0.08."""

RESIDUAL_TOLD = 5e-3
"""Relative residual of a fixed-point step that shows in a picture."""


@dataclass(frozen=True)
class Run:
    """A command at work: a model on its device, and what was chosen, for this model.

    Attributes:
        given: the settings that were given, of which a model may use less.
    """

    bench: Workbench
    choices: Choices
    inverting: InversionSettings
    generating: GenerationSettings
    quiet: bool = False
    given: Given = field(default_factory=dict)

    @classmethod
    def of(cls, model: ModelOptions, given: Given, quiet: bool, demo: str | None = None) -> Run:
        """What the options mean.

        Args:
            demo: the built-in pictures whose prompt holds where none is given.

        Raises:
            LatmixError: the model, device or dtype cannot be used.
            ValueError: a setting cannot be used.
        """
        bench = make_workbench(model, quiet, given)
        choices = Choices(**chosen(Choices, with_prompt(given, demo)))
        return cls(bench, choices, *choices.for_model(bench.source), quiet, given)

    def of_demo(self, demo: str | None) -> Run:
        """The same for other pictures, built-in or not."""
        prompt = with_prompt(self.given, demo).get("prompt", "")
        return replace(self, choices=replace(self.choices, prompt=prompt))

    def drive(self, job: Generator[Progress, None, Result]) -> Result:
        """Run a job to its end, and show how far it is."""
        return drive(job, self.quiet)

    def invert(
        self,
        paths: Iterable[Path],
        count: int | None = None,
        *,
        strict: bool = False,
        resume: bool = True,
    ) -> Inversion:
        """Invert pictures, as far as that was not done before, and name what was left out.

        Raises:
            LatmixError: no picture could be read.
        """
        from latmix.jobs.inversion import InversionRules, invert_pictures

        self._say_ignored()
        rules = InversionRules(count, strict=strict, resume=resume)
        job = invert_pictures(self.bench, paths, self.inverting, self.choices.prompt, rules)
        inversion = self.drive(job)
        self.tell_inversion(inversion)
        if count is not None and len(inversion.rows) < count:
            found = len(inversion.rows)
            self.say(f"Asked for {count} pictures, found {found}: going on with those.")
        return inversion

    def say(self, text: str) -> None:
        """A note, unless the command shall be quiet."""
        console.say(text, self.quiet)

    def tell_inversion(self, inversion: Inversion) -> None:
        """Name what was left out, and say where latents are not what the numbers take them for.

        Raises:
            LatmixError: no picture could be read.
        """
        from latmix.sampling.levels import Levels

        console.tell_failures(inversion.failures)
        if not inversion.rows:
            raise LatmixError("None of the pictures can be read.", "The lines above say why.")
        steps, source = inversion.settings.steps, self.bench.source
        kept = Levels.of(source.schedule, steps, source.patches(inversion.space.shape)).a[0]
        if kept > PICTURE_KEPT:
            self.say(
                f"note: with {steps} steps this model's noisiest level still holds {kept:.0%} of "
                "the picture: its latents are not noise. 20 to 100 steps reach it."
            )
        if inversion.residual > RESIDUAL_TOLD:
            self.say(
                "note: a step of the inversion did not converge (residual "
                f"{inversion.residual:.0e}); with more steps it does."
            )

    def _say_ignored(self) -> None:
        """Say which options mean nothing to this model."""
        given, source, solver = self.given, self.bench.source, find_solver(self.choices.solver)
        if given.get("prompt") and not source.family.is_prompted:
            self.say(f"note: {source.name} takes no prompt; yours changes nothing.")
        if given.get("negative") and not source.takes_negative:
            self.say(f"note: {source.name} takes no negative prompt; yours changes nothing.")
        elif given.get("negative") and solver.replaces_negative:
            self.say(f"note: solver {solver.name} takes the place of the negative prompt.")
        for row in SETTINGS:
            if row.name in given and not row.needed(solver):
                self.say(f"note: solver {solver.name} has no {row.label}; yours change nothing.")


def chosen(holder: type, given: Mapping[str, Any]) -> Given:
    """Those of the settings that were given which this value holds."""
    return {f.name: given[f.name] for f in fields(holder) if f.name in given}


def with_prompt(given: Given, demo: str | None) -> Given:
    """What was given, with what the built-in pictures show where no prompt is."""
    if demo is None:
        return given
    from latmix import demo as built_in

    return {"prompt": built_in.prompt(demo), **given}


def find_pictures(options: PictureOptions) -> list[Path]:
    """The pictures that the options name, in natural order.

    Raises:
        LatmixError: there are none, or a path is not there.
    """
    from latmix.images.folders import find_pictures as find

    if options.demo is None:
        if not options.paths:
            raise UsageError(
                "No pictures are named.",
                "Name a folder of pictures, or use built-in ones: --demo faces.",
            )
        return find(options.paths, recursive=options.recursive)
    if options.paths:
        raise UsageError("--demo and paths exclude each other.", "Leave one of them out.")
    from latmix import demo

    return find([demo.folder(options.demo)])


def find_source(name: str, config: Config, quiet: bool) -> ModelSource:
    """The model of --model; says in a line which one `auto` took, and what the built-in one knows.

    Raises:
        ModelError: as `models.source.find_model`.
    """
    from latmix.models.catalogue import is_built_in
    from latmix.models.source import find_model

    source = find_model(name, config.model)
    if is_built_in(source.name):
        missing = (
            f"{display_name(config.model)} is not on this machine; "
            if (name == "auto" and config.model and config.model != source.name)
            else ""
        )
        console.say(
            f"{missing}model: {source.name}, built in; it knows emoji only. "
            "`latmix models list` shows models that know photographs.",
            quiet,
        )
    elif name == "auto":
        console.say(f"model: {source.name}", quiet)
    return source


def make_workbench(model: ModelOptions, quiet: bool, given: Given | None = None) -> Workbench:
    """The workbench of the model options.

    Args:
        given: settings; a preset's among them hold where the options say nothing.

    Raises:
        LatmixError: the model, device or dtype cannot be used.
    """
    from latmix.config import load_config

    config = load_config()
    source = find_source(model.name, config, quiet)
    from latmix.jobs.imports import import_networks, import_numerics

    import_numerics()
    from latmix.jobs.workbench import Workbench
    from latmix.store.latents import LatentStore

    store, here = LatentStore(config.home), machine(model, given or {})
    return Workbench(source, store, here, before_loading=import_networks)


def machine(model: ModelOptions, given: Given) -> Machine:
    """Where jobs run: as the model options say, else as a preset among the settings does."""
    return Machine(**chosen(Machine, given) | model.machine)
