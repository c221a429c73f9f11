"""`latmix explore`: the terminal UI."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latmix.cli import run
from latmix.cli.options import GuidanceScale, InversionOptions, ModelOptions, command
from latmix.errors import UsageError
from latmix.mixing.grid import DEFAULT_METHOD, parse_method
from latmix.sampling.presets import find_preset


@command
def explore(
    model: ModelOptions,
    options: InversionOptions,
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
    guidance: GuidanceScale = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start without the saved session.")
    ] = False,
    mouse: Annotated[bool, typer.Option("--mouse/--no-mouse", help="Use the mouse.")] = True,
) -> int:
    """Explore a folder's mixtures in the terminal: weights by keyboard, statistics live."""
    from latmix import tui

    if method is not None:
        method = parse_method(method).name
    if demo is not None:
        if folder is not None:
            raise UsageError("--demo and a folder exclude each other.", "Leave one of them out.")
        from latmix import demo as built_in

        folder = built_in.folder(demo)
    preset = find_preset(options.preset)
    given = {
        "method": method,
        "prompt": run.template(options, demo) or None,
        "negative": options.negative or None,
        "steps": options.steps or (preset.steps if preset else None),
        "guidance": guidance if guidance is not None else (preset.guidance if preset else None),
        "inversion_guidance": options.inversion_guidance
        if options.inversion_guidance is not None
        else (preset.guidance if preset else None),
        "solver": run.chosen_solver(options).name if options.solver or preset else None,
        "inner_steps": options.inner_steps,
        "size": run.parse_size(options.size) if options.size else None,
        "fit": options.fit,
    }
    return tui.run(
        tui.ExploreOptions(
            folder=folder,
            recursive=recursive,
            count=count,
            model=model.name,
            device=model.device,
            dtype=run.network_dtype(model, options.preset),
            batch=model.at_a_time,
            offload=model.offload,
            choices={name: value for name, value in given.items() if value is not None},
            fresh=fresh,
            mouse=mouse,
        )
    )
