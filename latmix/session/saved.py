"""What a session keeps for the next start, and the file it is kept in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from latmix.disk import read_json, write_json_durably
from latmix.errors import StoreError
from latmix.mixing.grid import parse_method
from latmix.mixing.mixture import Mixture, mixture_of
from latmix.names import display_name
from latmix.session.bookmarks import Bookmark, Bookmarks
from latmix.session.choices import Choices
from latmix.session.fields import Whole, setting
from latmix.session.machine import Machine

FORMAT = 1
DRAFT_STEPS = 8
"""Steps of a draft: enough to see what a mixture will be, an order quicker than fifty."""


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
            known[name] = tuple(map(str, known[name]))
        return Arranged(**known)


@dataclass
class Saved:
    """What is written and taken up again, but for `pictures`, `machine` and `failures`.

    Attributes:
        shown: the result that is looked at, one of `results` (oldest first), or None.
        marked: results to compare or to export.
        compared: methods to compare side by side; empty for the usual ones.
        drafts: whether every edit is followed by a picture of `draft_steps` steps.
        view: what had the focus, for the next start: names and values of the front end's own.
        arranged: the list, for the next start.
    """

    model: str = "auto"
    theme: str = ""
    folder: Path | None = None
    recursive: bool = False
    pictures: list[Path] = field(default_factory=list)
    choices: Choices = field(default_factory=Choices)
    results: list[Path] = field(default_factory=list)
    shown: Path | None = None
    marked: list[Path] = field(default_factory=list)
    compared: tuple[str, ...] = ()
    draft_steps: int = setting(
        DRAFT_STEPS,
        Whole(1, 1000),
        sentence="Of drafts: comparisons, sweeps, and after every edit.",
        place=3,
        offer="Of a result, or of a draft.",
    )
    drafts: bool = False
    view: dict[str, str] = field(default_factory=dict)
    arranged: Arranged = field(default_factory=Arranged)
    machine: Machine = field(default_factory=Machine)
    failures: dict[str, str] = field(default_factory=dict)
    bookmarks: Bookmarks = field(default_factory=Bookmarks)

    @property
    def mixture(self) -> Mixture | None:
        return self.choices.mixture

    def save(self, path: Path) -> None:
        """Write what is needed to resume.

        Raises:
            StoreError: it cannot be written.
        """
        write_json_durably(path, self.content())

    def content(self) -> dict[str, Any]:
        """What is needed to resume, as plain JSON."""
        weights = list(self.mixture.as_dict().items()) if self.mixture else None
        return {
            "latmix": FORMAT,
            "model": self.model,
            "theme": self.theme,
            "folder": str(self.folder) if self.folder else None,
            "recursive": self.recursive,
            "choices": {"mixture": weights, **self.choices.kept()},
            "results": [str(result) for result in self.results],
            "shown": str(self.shown) if self.shown else None,
            "marked": [str(result) for result in self.marked],
            "compared": list(self.compared),
            "draft_steps": self.draft_steps,
            "drafts": self.drafts,
            "view": dict(self.view),
            "arranged": dict(vars(self.arranged)),
            "pinned": sorted(self.mixture.pinned) if self.mixture else [],
            "bookmarks": [bookmark.content() for bookmark in self.bookmarks.kept],
        }

    def resume(self, path: Path) -> bool:
        """Take up a saved session's model, folder, choices and results; False where there is none.

        The theme is taken up even where no folder was open.

        The folder's pictures are looked for by the caller, who then calls `keep_existing`.

        Raises:
            StoreError: the file is damaged; the sentence says how to start afresh.
        """
        try:
            content = read_json(path)
            if content["latmix"] != FORMAT:
                return False
            self.theme = str(content["theme"])
            self._resume_results(content)
            self.bookmarks.take(map(Bookmark.of, content.get("bookmarks", [])))
            if not content["folder"]:
                return False
            chosen = dict(content["choices"])
            weights = chosen.pop("mixture")
            pinned = content.get("pinned", [])
            mixture = mixture_of(dict(weights), pinned) if weights else None
            choices = replace(Choices.read(chosen), mixture=mixture)
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"The saved session {display_name(path)} cannot be read ({type(error).__name__}).",
                "Start with --fresh.",
            ) from error
        self.model, self.folder = str(content["model"]), Path(content["folder"])
        self.recursive = bool(content["recursive"])
        self.choices = choices
        return True

    def _resume_results(self, content: Mapping[str, Any]) -> None:
        """Take up the results that are still there, and how they were looked at."""
        self.results = [Path(result) for result in content["results"] if Path(result).exists()]
        kept = set(self.results)
        shown = Path(content.get("shown") or "")
        self.shown = shown if shown in kept else None
        self.marked = [Path(path) for path in content.get("marked", ()) if Path(path) in kept]
        self.compared = tuple(str(method) for method in content.get("compared", ()))
        for method in self.compared:
            parse_method(method)
        self.draft_steps = max(1, int(content.get("draft_steps", DRAFT_STEPS)))
        self.drafts = bool(content.get("drafts", False))
        self.arranged = Arranged.of({"folded": (), "marked": (), **content.get("arranged", {})})
        self.view = {str(name): str(value) for name, value in content.get("view", {}).items()}

    def add_result(self, path: Path) -> None:
        """A picture was made: it is the one looked at."""
        self.results.append(path)
        self.shown = path

    def look_at(self, path: Path) -> bool:
        """Look at a result; False where it is not one, or is looked at already."""
        if path not in self.results or path == self.shown:
            return False
        self.shown = path
        return True

    def mark(self, path: Path) -> bool:
        """Mark a result, or unmark it; whether it is marked now."""
        if path in self.marked:
            self.marked.remove(path)
            return False
        self.marked.append(path)
        return True
