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
        "explore": "explore",
        "mixing": "centroid mix",
        "latents": "invert stats",
        "sweep": "sweep",
        "replay": "replay",
        "results": "diff",
        "models": "models",
        "store": "store",
        "study": "study",
        "machine": "themes keys doctor",
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
def overall(
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
