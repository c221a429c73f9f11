"""A session in its file: what is kept for the next start, and taking it up again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from latmix.disk import read_json, write_json_durably
from latmix.errors import StoreError
from latmix.mixing.grid import parse_method
from latmix.mixing.mixture import mixture_of
from latmix.names import display_name
from latmix.session.arranged import Arranged
from latmix.session.bookmarks import Bookmark, Bookmarks
from latmix.session.choices import Choices
from latmix.session.session import SETTINGS, Session

FORMAT = 1


def save(session: Session, path: Path) -> None:
    """Write what is needed to resume.

    Raises:
        StoreError: it cannot be written.
    """
    write_json_durably(path, content(session))


def content(session: Session) -> dict[str, Any]:
    """What is needed to resume, as plain JSON."""
    weights = list(session.mixture.as_dict().items()) if session.mixture else None
    return {
        "latmix": FORMAT,
        "model": session.model,
        "theme": session.theme,
        "folder": str(session.folder) if session.folder else None,
        "recursive": session.recursive,
        "choices": {"mixture": weights, **session.choices.kept()},
        "results": [str(result) for result in session.results],
        "shown": str(session.shown) if session.shown else None,
        "marked": [str(result) for result in session.marked],
        "compared": list(session.compared),
        **{row.name: getattr(session, row.name) for row in SETTINGS},
        "drafts": session.drafts,
        "view": dict(session.view),
        "arranged": dict(vars(session.arranged)),
        "pinned": sorted(session.mixture.pinned) if session.mixture else [],
        "bookmarks": [bookmark.content() for bookmark in session.bookmarks.kept],
    }


def resume(session: Session, path: Path) -> bool:
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
        session.theme = str(content["theme"])
        _resume_results(session, content)
        session.bookmarks = Bookmarks([Bookmark.of(each) for each in content.get("bookmarks", [])])
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
    session.model, session.folder = str(content["model"]), Path(content["folder"])
    session.recursive = bool(content["recursive"])
    session.choices = choices
    return True


def _resume_results(session: Session, content: Mapping[str, Any]) -> None:
    """Take up the results that are still there, and how they were looked at."""
    session.results = [Path(result) for result in content["results"] if Path(result).exists()]
    kept = set(session.results)
    shown = Path(content.get("shown") or "")
    session.shown = shown if shown in kept else None
    session.marked = [Path(path) for path in content.get("marked", ()) if Path(path) in kept]
    session.compared = tuple(str(method) for method in content.get("compared", ()))
    for method in session.compared:
        parse_method(method)
    for row in SETTINGS:
        value = content.get(row.name)
        setattr(session, row.name, value if row.kind.accepts(value) else row.default)
    session.drafts = bool(content.get("drafts", False))
    session.arranged = Arranged.of(content.get("arranged", {}))
    session.view = {str(name): str(value) for name, value in content.get("view", {}).items()}
