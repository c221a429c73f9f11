"""Places in the space of mixtures that the user wants back: weights, method and prompt. No torch.

The session keeps them for every folder; only those of the folder that is open are walked through.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from latmix.mixing.grid import parse_method
from latmix.mixing.mixture import Mixture, mixture_of


@dataclass(frozen=True)
class Bookmark:
    """A mixture of a folder's pictures with the method and the prompt that went with it."""

    folder: Path
    mixture: Mixture
    method: str
    prompt: str
    seed: int | None = None

    def content(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "folder": str(self.folder),
            "mixture": list(self.mixture.as_dict().items()),
            "pinned": sorted(self.mixture.pinned),
            "method": self.method,
            "prompt": self.prompt,
            "seed": self.seed,
        }

    @staticmethod
    def of(content: dict[str, Any]) -> Bookmark:
        """What `content` gave.

        Raises:
            ValueError, KeyError, TypeError: it is something else.
        """
        parse_method(content["method"])
        return Bookmark(
            folder=Path(content["folder"]),
            mixture=mixture_of(dict(content["mixture"]), content["pinned"]),
            method=content["method"],
            prompt=str(content["prompt"]),
            seed=content["seed"],
        )


@dataclass
class Bookmarks:
    """All bookmarks in the order they were set, and the one last come to."""

    kept: list[Bookmark] = field(default_factory=list)
    _last: Bookmark | None = None

    def of(self, folder: Path | None) -> list[Bookmark]:
        """Those of a folder."""
        return [bookmark for bookmark in self.kept if bookmark.folder == folder]

    def toggle(self, bookmark: Bookmark) -> bool:
        """Set a bookmark, or take away the one that is the same; returns whether it is there."""
        if bookmark in self.kept:
            self.kept.remove(bookmark)
            return False
        self.kept.append(bookmark)
        self._last = bookmark
        return True

    def step(self, folder: Path | None, by: int) -> tuple[int, Bookmark] | None:
        """The next (1) or previous (-1) bookmark of a folder and its number from 1, around the end.

        None where the folder has none.
        """
        here = self.of(folder)
        if not here:
            return None
        last = here.index(self._last) if self._last in here else -1 if by > 0 else 0
        at = (last + by) % len(here)
        self._last = here[at]
        return at + 1, here[at]
