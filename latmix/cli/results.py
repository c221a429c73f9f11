"""`latmix diff`: what differs between two results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from latmix.cli import console
from latmix.cli.command import command
from latmix.cli.options import SayOptions, argument


@command
def diff(
    output: SayOptions,
    left: Annotated[Path, argument("A PNG that latmix wrote.")],
    right: Annotated[Path, argument("Another one.")],
) -> int:
    """What differs between the recipes of two results."""
    from latmix.results.differences import recipe_differences
    from latmix.results.recipes import read_recipe

    rows = recipe_differences(read_recipe(left), read_recipe(right))
    if output.json:
        console.print_json([vars(row) for row in rows])
    elif rows:
        from latmix.report import difference_table

        console.screen().print(difference_table(rows, left.name, right.name))
    else:
        console.say("Their recipes are the same.", output.quiet)
    return 0
