"""`latmix study`: the paper's experiments. Each has a file of its own; this only names them."""

from __future__ import annotations

from typing import ClassVar

import typer

from latmix.cli.late import LateGroup


class Studies(LateGroup):
    """Every experiment."""

    late: ClassVar = {
        name: name for name in ("bias", "inversion", "offset", "paths", "quality", "recipe")
    }


app = typer.Typer(cls=Studies, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def study() -> None:
    """The experiments of the paper, on your pictures."""
