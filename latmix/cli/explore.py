"""`latmix explore`: the terminal UI."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from latmix.cli.command import command
from latmix.cli.options import Demo, Guidance, Inverting, ModelOptions, Recursive, argument, option
from latmix.cli.run import chosen, machine, with_prompt
from latmix.errors import UsageError
from latmix.mixing.grid import DEFAULT_METHOD, parse_method
from latmix.session.choices import USUAL_COUNT, Choices


@command
def explore(
    model: ModelOptions,
    inverting: Inverting,
    *,
    folder: Annotated[Path | None, argument("A folder of pictures.")] = None,
    demo: Demo = None,
    recursive: Recursive = False,
    count: Annotated[
        int, option("Start with the first N.", "-n", "--count", least=1)
    ] = USUAL_COUNT,
    method: Annotated[
        str | None, option(f"norm/mean.  [default: {DEFAULT_METHOD}]", "--method", "-m")
    ] = None,
    guidance: Guidance,
    fresh: Annotated[bool, option("Start without the saved session.", "--fresh")] = False,
    mouse: Annotated[bool, option("Use the mouse.", "--mouse/--no-mouse")] = True,
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
