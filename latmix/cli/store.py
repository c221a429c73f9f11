"""`latmix store`: what is kept on disk, whether it is sound, and making room."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from latmix.cli import console
from latmix.cli.command import command
from latmix.cli.driving import drive
from latmix.cli.options import SayOptions, option
from latmix.names import display_name, size_text
from latmix.sampling.generators import watched

if TYPE_CHECKING:
    from latmix.store.folders import SpaceInfo
    from latmix.store.latents import LatentStore

Result = TypeVar("Result")

app = typer.Typer(rich_markup_mode=None, invoke_without_command=True)

DryRun = Annotated[bool, option("Only say how much.", "--dry-run")]


@app.callback()
def store(context: typer.Context) -> None:
    """Size, verify, prune and compact the stored latents."""
    if context.invoked_subcommand is None:
        size()


@app.command("size")
@command
def size(output: SayOptions) -> int:
    """What is stored: a row for each model and way of inverting."""
    latents = _open_store()
    spaces, root = latents.spaces(), display_name(latents.root)
    if output.json:
        rows = [
            {"id": s.id, "rows": s.rows, "bytes": s.bytes, "settings": dict(s.settings)}
            for s in spaces
        ]
        console.print_json({"root": root, "spaces": rows})
        return 0
    columns = ("space", "#latents", "#size", "model", "inversion")
    console.print_table(columns, map(_cells, spaces))
    total = sum(space.bytes for space in spaces)
    console.say(f"{size_text(total)} in {root}", output.quiet)
    return 0


def _cells(space: SpaceInfo) -> tuple[object, ...]:
    """A row of the table: the model and the settings as a person reads them."""
    settings = dict(space.settings)
    made_with = settings.get("inversion")
    words = dict(made_with) if isinstance(made_with, dict) else {}
    words |= {name: settings[name] for name in ("companion",) if name in settings}
    how = ", ".join(f"{name} {value}" for name, value in words.items() if value != "")
    model = _model_name(str(settings.get("fingerprint", "?")))
    return space.id, space.rows, size_text(space.bytes), model, display_name(how)


@app.command("verify")
@command
def verify(output: SayOptions) -> int:
    """Read every latent and check it; damaged ones are inverted again when next needed."""
    report = _drive("verify", _open_store().verify(), output)
    content = {
        "rows": report.rows,
        "damaged": [vars(row) for row in report.damaged],
        "unreadable": console.failures_json(report.unreadable),
    }
    text = f"{report.rows} latents are sound, {len(report.damaged)} are damaged."
    console.answer(content, text, output.json)
    if not output.json:
        for file in report.unreadable:
            console.say(f"{display_name(file.path)}: {file.reason}")
        if not report.sound:
            console.say(
                "`latmix store prune` removes what is damaged; it is made again when needed."
            )
    return 0 if report.sound else 1


@app.command("prune")
@command
def prune(
    output: SayOptions,
    space: Annotated[str | None, option("Remove this space whole.")] = None,
    older_than_days: Annotated[float | None, option("Remove what is older.")] = None,
    dry_run: DryRun = False,
) -> int:
    """Remove damaged latents, second copies and leftovers; with an option, more."""
    job = _open_store().prune(space=space, older_than_days=older_than_days, dry_run=dry_run)
    freed = _drive("prune", job, output)
    content, text = {"bytes": freed.bytes}, size_text(freed.bytes)
    return _tell_freed(content, text, dry_run, output)


@app.command("compact")
@command
def compact(output: SayOptions, dry_run: DryRun = False) -> int:
    """Prune, and join small files of latents to full ones."""
    freed = _drive("compact", _open_store().compact(dry_run=dry_run), output)
    text = f"{size_text(freed.bytes)} in {freed.files} files"
    return _tell_freed(vars(freed), text, dry_run, output)


def _tell_freed(content: Mapping[str, int], text: str, dry_run: bool, output: SayOptions) -> int:
    what = "would be freed" if dry_run else "freed"
    console.answer({**content, "is_dry_run": dry_run}, f"{text} {what}.", output.json)
    return 0


def _model_name(fingerprint: str) -> str:
    """A model as a person knows it: only a built-in one's fingerprint says which it is."""
    from latmix.models.catalogue import CATALOGUE
    from latmix.models.source import find_model

    for name in (entry.name for entry in CATALOGUE if not entry.repository):
        if find_model(name).fingerprint == fingerprint:
            return name
    return display_name(fingerprint[:12])


def _open_store() -> LatentStore:
    from latmix.config import load_config
    from latmix.store.latents import LatentStore

    return LatentStore(load_config().home)


def _drive(
    phase: str, work: Generator[tuple[int, int], None, Result], output: SayOptions
) -> Result:
    """Run what counts how much of all is done."""
    from latmix.jobs.progress import Progress

    return drive(watched(work, lambda seen: Progress(phase, *seen)), output.quiet)
