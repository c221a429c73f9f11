"""The settings of the paper, by name: Landolsi & Kahl 2505.07481, appendix A. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from latmix.errors import UsageError
from latmix.names import display_name
from latmix.sampling.solvers.solver import PLAIN


def _guided(guidance: float, steps: int, solver: str = PLAIN, **machine: str) -> dict[str, Any]:
    """Inversion at, or null-text fitted to, the guidance that it generates with."""
    both = {"guidance": guidance, "inversion_guidance": guidance}
    return {"steps": steps, "solver": solver, **both, **machine}


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "paper-sd15": _guided(7.5, 50),
    "paper-sd15-500": _guided(1.0, 500, dtype="float32"),
    "paper-sd35": _guided(4.5, 28),
    "paper-null-text": _guided(7.5, 50, "null-text"),
}
"""Values of `Choices` and `Machine` by name; whatever is given beside a preset wins."""


def find_preset(name: str) -> Mapping[str, Any]:
    """The preset of a name.

    Raises:
        UsageError: there is no such preset.
    """
    if name not in PRESETS:
        raise UsageError(f"There is no preset {display_name(name)}.", f"Use {', '.join(PRESETS)}.")
    return PRESETS[name]
