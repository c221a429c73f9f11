"""The pictures that a key acts on, and what is said of an edit to them: for the other actions."""

from __future__ import annotations

from operator import attrgetter

from latmix.names import plural
from latmix.tui.explorer import Explorer
from latmix.tui.listing.arrangement import Heading

MIXTURE, PICTURES = attrgetter("session.mixture"), attrgetter("session.pictures")
"""For commands that are `given` one of them."""


def edit(explorer: Explorer, done: bool, said: str = "") -> None:
    """Show an edit that was done; the bell where it could not be."""
    explorer.pictures.entry = None
    if done:
        explorer.changed(said)
    else:
        explorer.bell()


def on_current(explorer: Explorer, folds: bool = False) -> str | None:
    """The picture that the keys act on; says why where it cannot have weight.

    Args:
        folds: on a folder's heading, fold it instead.
    """
    session, current = explorer.session, explorer.pictures.current
    if isinstance(explorer.pictures.row, Heading):
        if folds:
            explorer.pictures.fold()
        else:
            explorer.say("A folder: enter or z folds it, a marks its pictures.")
    elif current is None:
        found = bool(session.pictures)
        explorer.say("No picture has these words." if found else "No folder is open: f opens one.")
    elif str(current) in session.failures:
        explorer.say("It could not be read; space tries it again.")
    else:
        return str(current)
    return None


def chosen(explorer: Explorer) -> list[str]:
    """The marked pictures in the folder's order, or else the one under the cursor."""
    if marked := explorer.pictures.marked:
        return [key for path in explorer.session.pictures if (key := str(path)) in marked]
    current = explorer.pictures.current
    return [str(current)] if current is not None else []


def about(explorer: Explorer, keys: list[str], what: str) -> str:
    """What was done, where it was done to marked pictures."""
    is_many = bool(explorer.pictures.marked)
    return f"{plural(len(keys), 'marked picture')} {what}." if is_many else ""
