"""Importing what jobs need as a front end does: quickly, quietly, and beside a screen.

Called by front ends alone, for it changes the process (`latmix.process`).
"""

from __future__ import annotations

from collections.abc import Iterable

from latmix.process import hide_bars, load_torch, uncollected


def import_numerics() -> None:
    """Import torch and the jobs that need it: a second or two."""
    load_torch()
    with uncollected():
        import latmix.jobs.generation
        import latmix.jobs.inversion
        import latmix.jobs.workbench  # noqa: F401


def import_networks(names: Iterable[str]) -> None:
    """Import the classes that a model's parts are loaded with: some seconds more."""
    with uncollected():
        from latmix.models.parts import import_class

        for name in names:
            import_class(name)
        hide_bars()
