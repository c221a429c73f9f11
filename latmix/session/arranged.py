"""How the list of pictures is shown, for the next start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Arranged:
    """How the list of pictures was shown.

    Attributes:
        order: what it was ordered by.
        folded: folders whose pictures were hidden.
        marked: pictures that the next action was for.
        is_high: whether small pictures were shown; None where the front end chose.
    """

    order: str = "name"
    is_grouped: bool = False
    folded: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    is_high: bool | None = None

    @staticmethod
    def of(content: Mapping[str, Any]) -> Arranged:
        """What `vars` gave, as plain JSON."""
        known = dict(content)
        for name in ("folded", "marked"):
            known[name] = tuple(map(str, known.get(name, ())))
        return Arranged(**known)
