"""`latmix explore`: the terminal UI."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latmix.cli.command import command
from latmix.cli.options import Guidance, Inverting, ModelOptions
from latmix.cli.run import chosen, machine, with_prompt
from latmix.errors import UsageError
from latmix.mixing.grid import DEFAULT_METHOD, parse_method
from latmix.session.choices import Choices


@command
def explore(
    model: ModelOptions,
    inverting: Inverting,
    *,
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of pictures.", show_default=False)
    ] = None,
    demo: Annotated[
        str | None, typer.Option(help="Built-in pictures: faces, animals, food or hearts.")
    ] = None,
    recursive: Annotated[bool, typer.Option("--recursive", help="Look into subfolders.")] = False,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="Start with the first N.")] = 8,
    method: Annotated[
        str | None,
        typer.Option(
            "--method", "-m", help=f"norm/mean.  [default: {DEFAULT_METHOD}]", show_default=False
        ),
    ] = None,
    guidance: Guidance,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start without the saved session.")
    ] = False,
    mouse: Annotated[bool, typer.Option("--mouse/--no-mouse", help="Use the mouse.")] = True,
) -> int:
    """Explore a folder's mixtures in the terminal: weights by keyboard, statistics live."""
    from latmix import tui

    given = inverting | guidance
    if method is not None:
        given["method"] = parse_method(method).name
    if demo is not None:
        if folder is not None:
            raise UsageError("--demo and a folder exclude each other.", "Leave one of them out.")
        from latmix import demo as built_in

        folder = built_in.folder(demo)
    return tui.run(
        tui.ExploreOptions(
            folder=folder,
            recursive=recursive,
            count=count,
            model=model.name,
            machine=machine(model, given),
            choices=chosen(Choices, with_prompt(given, demo)),
            fresh=fresh,
            mouse=mouse,
        )
    )
