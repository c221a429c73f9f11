"""The settings of the paper, by name: Landolsi & Kahl 2505.07481, appendix A. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

from latmix.errors import UsageError
from latmix.names import display_name


@dataclass(frozen=True)
class Preset:
    """Inversion at, or null-text fitted to, the guidance that it generates with.

    Attributes:
        dtype: of the network, or "auto".
    """

    steps: int
    guidance: float
    solver: str = "ddim"
    dtype: str = "auto"


PRESETS = {
    "paper-sd15": Preset(50, 7.5),
    "paper-sd15-500": Preset(500, 1.0, dtype="float32"),
    "paper-sd35": Preset(28, 4.5),
    "paper-null-text": Preset(50, 7.5, "null-text"),
}


def find_preset(name: str | None) -> Preset | None:
    """The preset of a name, or nothing where none is named.

    Raises:
        UsageError: there is no such preset.
    """
    if name is not None and name not in PRESETS:
        raise UsageError(f"There is no preset {display_name(name)}.", f"Use {', '.join(PRESETS)}.")
    return PRESETS[name] if name else None
