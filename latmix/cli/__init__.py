"""The command line: one file a group of commands. `main` is what the `latmix` script runs.

Data goes to stdout, progress and messages to stderr. Exit codes: 0 done, 1 an error the message
explains, 2 usage, 3 done but some pictures were left out, 130 interrupted. Modules here import
nothing heavy at their top, so that `latmix --help` answers at once.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from latmix.cli.late import LateGroup
from latmix.process import prepare


class Commands(LateGroup):
    """Every command."""

    late: ClassVar = {
        "explore": (
            "explore:explore",
            "Explore a folder's mixtures in the terminal: weights by keyboard, statistics live.",
        ),
        "centroid": (
            "mixing:centroid",
            "Invert pictures (once), mix them with equal weights, and generate their centroid.",
        ),
        "mix": (
            "mixing:mix",
            "Mix pictures with weights: given by name, read from a CSV, or drawn at random.",
        ),
        "invert": (
            "latents:invert",
            "Fill the store with the pictures' noise latents; what is there already is kept.",
        ),
        "stats": (
            "latents:stats",
            "The numbers of a mixture and of its pictures, before a generation is spent on it.",
        ),
        "sweep": (
            "sweep:sweep",
            "A sheet of centroids: a row for each method, a column for each number of pictures.",
        ),
        "replay": (
            "replay:replay",
            "Make a result again from the recipe inside it, and say how close it came.",
        ),
        "diff": (
            "results:diff",
            "What differs between the recipes of two results.",
        ),
        "models": (
            "models:app",
            "List, show, fetch and remove models.",
        ),
        "store": (
            "store:app",
            "Size, verify, prune and compact the stored latents.",
        ),
        "study": (
            "study:app",
            "The experiments of the paper, on your pictures.",
        ),
        "themes": (
            "machine:themes",
            "The terminal UI's themes: those that come with latmix and your own.",
        ),
        "keys": (
            "machine:keys",
            "The terminal UI's keys by binding id, your own included, and what is wrong "
            "with those.",
        ),
        "doctor": (
            "machine:doctor",
            "What this machine has: devices, versions, models, folders, terminal; problems come "
            "last.",
        ),
    }


app = typer.Typer(
    name="latmix",
    cls=Commands,
    help="Explore mixtures of diffusion latents that do not degenerate.",
    epilog="Start with: latmix explore --demo faces, or latmix centroid --demo faces -n 8",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
    prepare()
    app()
