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
    folder = chosen.folder.absolute()

    def take(pictures: list[Path]) -> None:
        explorer.is_scanning = False
        _take_pictures(explorer, chosen, folder, pictures, then)

    def fail(error: LatmixError) -> None:
        explorer.is_scanning = False
        explorer.show_error(error)

    explorer.is_scanning = True
    explorer.ask("scan", partial(scan_pictures, folder, chosen.recursive), take, fail)
    explorer.say(f"reading {short_name(chosen.folder)}…")
    explorer.show_input()


def _take_pictures(
    explorer: Explorer,
    chosen: FolderChosen,
    folder: Path,
    found: list[Path],
    then: Callable[[], object] | None,
) -> None:
    session, start = explorer.session, explorer.start
    resumes = start.is_resumed and session.folder == folder and not session.pictures
    explorer.work.stop()
    session.recursive = chosen.recursive
    if resumes:
        session.keep_existing(found, start.count)
        mixed = plural(len(session.mixture or ()), "picture")
        said = f"Resumed: {mixed} mixed by {session.choices.method}. --fresh starts anew."
    else:
        if chosen.prompt is not None:
            session.choose(prompt=chosen.prompt)
        session.open_folder(folder, found, start.count)
        said = f"{plural(len(found), 'picture')} in {short_name(folder)}"
        said += f"; prompt: {session.choices.prompt}" if session.choices.prompt else ""
        explorer.pane.take_result(None)
        explorer.pane.turn(to_mixture=False)
    if then is not None:
        then()
        said = explorer.job_line.said
    explorer.jobs.forget_look_ups()
    explorer.pictures.show_folder()
    if resumes:
        _take_up_view(explorer)
    explorer.changed(said)
    explorer.read_input_soon()


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
