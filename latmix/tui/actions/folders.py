"""What happens when a folder is opened: its pictures are read, and shown as they were left."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from latmix.errors import LatmixError
from latmix.jobs.screen.browsing import scan_pictures
from latmix.names import plural
from latmix.tui.dialogs.folder import FolderChosen
from latmix.tui.explorer import Explorer
from latmix.tui.title_line import short_name

TAKING_UP = 0.5
"""Seconds in which the cursor goes to where it was left, which must not turn the pane to it."""


def open_folder(
    explorer: Explorer, chosen: FolderChosen, then: Callable[[], object] | None = None
) -> None:
    """Have a folder's pictures read; they are shown when they come, and `then` is called."""
    folder, session = chosen.folder.absolute(), explorer.session

    def take(found: list[Path]) -> None:
        explorer.is_scanning = False
        explorer.work.stop()
        is_same = session.folder == folder and not session.pictures
        resumes = explorer.start.is_resumed and is_same
        session.recursive = chosen.recursive
        said = _resume(explorer, found) if resumes else _begin(explorer, chosen, found)
        if then is not None:
            then()
            said = explorer.job_line.said
        explorer.jobs.forget_look_ups()
        explorer.pictures.show_folder()
        if resumes:
            _take_up_view(explorer)
        explorer.changed(said)
        explorer.read_input_soon()

    def fail(error: LatmixError) -> None:
        explorer.is_scanning = False
        explorer.show_error(error)

    explorer.is_scanning = True
    explorer.ask("scan", partial(scan_pictures, folder, chosen.recursive), take, fail)
    explorer.say(f"reading {short_name(chosen.folder)}…")
    explorer.show_input()


def _resume(explorer: Explorer, found: list[Path]) -> str:
    """Go on with what was mixed; returns what to say."""
    session = explorer.session
    session.keep_existing(found, explorer.start.count)
    mixed = plural(len(session.mixture or ()), "picture")
    return f"Resumed: {mixed} mixed by {session.choices.method}. --fresh starts anew."


def _begin(explorer: Explorer, chosen: FolderChosen, found: list[Path]) -> str:
    """Mix the first of these pictures; returns what to say."""
    session, folder = explorer.session, chosen.folder.absolute()
    if chosen.prompt is not None:
        session.choose(prompt=chosen.prompt)
    session.open_folder(folder, found, explorer.start.count)
    explorer.pane.take_result(None)
    explorer.pane.turn(to_mixture=False)
    said = f"{plural(len(found), 'picture')} in {short_name(folder)}"
    return f"{said}; prompt: {session.choices.prompt}" if session.choices.prompt else said


def _take_up_view(explorer: Explorer) -> None:
    """The cursor, the focus and the result where they were left."""
    session = explorer.session
    explorer.pictures.go_to(Path(session.view.get("picture", "")))
    if not session.results:
        return
    session.shown = session.shown or session.results[-1]
    explorer.read_result(session.shown)
    explorer.is_taking_up = True
    explorer.later("taken up", TAKING_UP, partial(setattr, explorer, "is_taking_up", False))
    if session.view.get("pane") == "results":
        explorer.history.focus()
