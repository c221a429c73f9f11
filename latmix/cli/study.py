"""`latmix study`: the paper's experiments. Each has a file of its own; this only names them."""

from __future__ import annotations

from typing import ClassVar

import typer

from latmix.cli.late import LateGroup


class Studies(LateGroup):
    """Every experiment."""

    late: ClassVar = {
        "bias": (
            "bias:bias",
            "Channel means and amplification of random centroids against N, with the law fitted.",
        ),
        "inversion": (
            "inversion:inversion",
            "Solvers by steps by guidance: what comes back of pictures, and at how many "
            "evaluations.",
        ),
        "offset": (
            "offset:offset",
            "Offset the top quarter of a latent, as noise and as picture, and look what changes.",
        ),
        "paths": (
            "paths:paths",
            "Paths between points of the plane under the mixing methods, with norm rings.",
        ),
        "quality": (
            "quality:quality",
            "How near random centroids come to the pictures of their class, for each method and "
            "number.",
        ),
        "recipe": (
            "recipe:recipe",
            "Centroids of sampled noise against those of its inversion from slightly noisy "
            "pictures.",
        ),
    }


app = typer.Typer(
    cls=Studies,
    help="The experiments of the paper, on your pictures.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
