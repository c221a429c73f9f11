"""`latmix models`: what can be used, what is on this machine, and fetching more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from latmix.cli import console
from latmix.cli.command import command
from latmix.cli.options import SayOptions, argument, option
from latmix.errors import ModelError, UsageError
from latmix.names import display_name, size_text
from latmix.process import hide_hub_bars

app = typer.Typer(rich_markup_mode=None, invoke_without_command=True)

Name = Annotated[str, argument("A catalogue name, a hub id (owner/name) or a folder.")]


@app.callback()
def models(context: typer.Context) -> None:
    """List, show, fetch and remove models."""
    if context.invoked_subcommand is None:
        list_models()


@app.command("list")
@command
def list_models(output: SayOptions) -> int:
    """The models latmix knows by name, and whether each is on this machine."""
    from latmix.models.catalogue import CATALOGUE, TINY
    from latmix.models.families import FAMILIES
    from latmix.models.source import find_model
    from latmix.models.tiny_autoencoder import tiny_folder

    rows: list[dict[str, Any]] = [
        {
            "name": entry.name,
            "repository": entry.repository,
            "pixels": entry.pixels or None,
            "licence": entry.licence,
            "note": entry.note,
            "is_here": _is_here(find, entry.name),
        }
        for entries, find in ((CATALOGUE, find_model), (TINY, tiny_folder))
        for entry in entries
    ]
    if output.json:
        console.print_json(rows)
        return 0
    said = {True: "yes", False: "no"}
    rest = ("pixels", "licence", "note")
    cells = ([r["name"], said[r["is_here"]], *(r[name] or "" for name in rest)] for r in rows)
    console.print_table(("name", "here", "#pixels", "licence", "what"), cells)
    console.say("Any folder in diffusers format, or hub id, of these works too, by --model:")
    for title in dict.fromkeys(family.title for family in FAMILIES):
        console.say(f"  {title}")
    return 0


@app.command("show")
@command
def show(name: Name, output: SayOptions) -> int:
    """What a model is: family, size, latents, schedule, fingerprint."""
    from latmix.models.source import find_model

    source = find_model(name)
    schedule = source.schedule
    content: dict[str, Any] = {
        "name": source.name,
        "family": source.family.title,
        "pipeline": source.family.pipeline,
        "folder": display_name(source.folder),
        "size": list(source.size),
        "latents": list(source.latent_shape(source.size)),
        "prediction": schedule.prediction,
        "timesteps": schedule.length,
        "spacing": schedule.spacing,
        "guidance": source.guidance,
        "fingerprint": source.fingerprint,
    }
    if output.json:
        console.print_json(content)
    else:
        console.print_table(("", ""), content.items())
    return 0


@app.command("pull")
@command
def pull(name: Name, output: SayOptions) -> int:
    """Fetch a model from the hub into the hub's cache: safetensors and JSON only."""
    from latmix.models.fetch import pull_model

    if output.quiet:
        hide_hub_bars()
    folder = display_name(pull_model(name))
    console.answer({"name": name, "folder": folder}, folder, output.json)
    return 0


@app.command("remove")
@command
def remove(
    name: Name,
    output: SayOptions,
    yes: Annotated[bool, option("Do not ask.", "--yes", "-y")] = False,
) -> int:
    """Remove a fetched model from the hub's cache; says what that frees, and asks first."""
    import sys

    from latmix.models.remove import find_cached, remove_cached

    cached = find_cached(name)
    size, shown = size_text(cached.size_on_disk), display_name(cached.repo_id)
    if not yes:
        if not sys.stdin.isatty():
            unasked = f"Removing {shown} frees {size}, and nobody can be asked."
            raise UsageError(unasked, "Add --yes.")
        place = display_name(cached.repo_path)
        if not typer.confirm(f"Remove {place} and free {size}?", err=True):
            console.say("Nothing was removed.", output.quiet)
            return 0
    remove_cached(cached)
    content = {"name": cached.repo_id, "bytes": cached.size_on_disk}
    console.answer(content, f"{shown}: {size} freed", output.json)
    return 0


def _is_here(find: Callable[[str], object], name: str) -> bool:
    try:
        find(name)
    except ModelError:
        return False
    return True
