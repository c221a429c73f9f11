"""What people read of the phases that a job goes through."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """How a phase is spoken of.

    Attributes:
        verb: what is being done.
        noun: what is stopped, where the user asked for it.
        preview: what is said of the pictures that it shows meanwhile.
        has_bar: whether it takes long enough for a bar.
    """

    verb: str
    noun: str = "job"
    preview: str = ""
    has_bar: bool = False


PHASES = {
    "prepare": Phase("starting torch"),
    "load": Phase("loading the model"),
    "recall": Phase("looking up"),
    "invert": Phase("inverting", "inversion", "inverting: as the model sees it", has_bar=True),
    "measure": Phase("measuring"),
    "mix": Phase("mixing"),
    "compare": Phase("comparing", "comparison"),
    "generate": Phase("generating", "generation", "generating: the mixture so far", has_bar=True),
}


def phase_of(name: str) -> Phase:
    """Of `Progress.phase`, or of a job; one that is not known goes by its name."""
    return PHASES.get(name, Phase(name))
