"""The command line: one file a group of commands. `main` is what the `latmix` script runs.

Data goes to stdout, progress and messages to stderr. Exit codes: 0 done, 1 an error the message
explains, 2 usage, 3 done but some pictures were left out, 130 interrupted. Modules here import
nothing heavy at their top, so that `latmix --help` answers at once.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from latmix.cli import (
    explore,
    latents,
    machine,
    mixing,
    models,
    replay,
    results,
    store,
    study,
    sweep,
)

app = typer.Typer(
    name="latmix",
    help="Explore mixtures of diffusion latents that do not degenerate.",
    epilog="Start with: latmix explore --demo faces, or latmix centroid --demo faces -n 8",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("explore")(explore.explore)
app.command("centroid")(mixing.centroid)
app.command("mix")(mixing.mix)
app.command("invert")(latents.invert)
app.command("stats")(latents.stats)
app.command("sweep")(sweep.sweep)
app.command("replay")(replay.replay)
app.command("diff")(results.diff)
app.add_typer(models.app, name="models")
app.add_typer(store.app, name="store")
app.add_typer(study.app, name="study")
app.command("themes")(machine.themes)
app.command("keys")(machine.keys)
app.command("doctor")(machine.doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        import latmix

        typer.echo(f"latmix {latmix.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Explore mixtures of diffusion latents that do not degenerate."""


def main() -> None:
    """Run the command line."""
    # Torch's threads spin while they wait for one another: where another program wants a core,
    # a network call took 2.6 s that takes 0.06 s when they sleep. Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    for stream in (sys.stdout, sys.stderr):
        # A stream that is not UTF-8 shows what it lacks as an escape, and nothing fails for it.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()
