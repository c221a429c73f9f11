"""`latmix study`: the paper's experiments. Each has a file of its own; this only names them."""

from __future__ import annotations

import typer

from latmix.cli import bias, inversion, offset, paths, quality, recipe

app = typer.Typer(
    help="The experiments of the paper, on your pictures.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.command("bias")(bias.bias)
app.command("inversion")(inversion.inversion)
app.command("offset")(offset.offset)
app.command("paths")(paths.paths)
app.command("quality")(quality.quality)
app.command("recipe")(recipe.recipe)
