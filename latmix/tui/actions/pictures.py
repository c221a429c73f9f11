"""What the keys do with pictures: which folder, which are mixed, how the list shows them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from operator import attrgetter
from pathlib import Path

from latmix.jobs.engine import Job
from latmix.jobs.screen.browsing import list_folders
from latmix.names import display_name, plural
from latmix.tui.actions.chosen import about, chosen, edit, on_current
from latmix.tui.actions.folders import open_folder
from latmix.tui.actions.keeping import copy_text
from latmix.tui.dialogs.folder import FolderDialog, Show, ShowError
from latmix.tui.dialogs.lists import FailuresDialog
from latmix.tui.dialogs.text_entry import CountDialog
from latmix.tui.explorer import Explorer
from latmix.tui.keys.command import Area, given
from latmix.tui.listing.arrangement import Heading
from latmix.tui.messages import SignsClicked
from latmix.viewer import Opened, open_picture

AREA = Area("Pictures")

USUAL_COUNT = 8


@AREA.command("folder.open", "f", "f", "Open a folder", opens=True)
def choose_folder(explorer: Explorer) -> None:
    """Choose a folder of pictures, or built-in ones."""
    folder = explorer.session.folder
    start = folder.parent if folder is not None else Path.cwd()

    def read(folder: Path | None, show: Show, fail: ShowError) -> None:
        explorer.engines.files.submit(Job("list", lambda: list_folders(folder), show, fail))

    explorer.open(FolderDialog(start, read), partial(open_folder, explorer))


@AREA.command("mix.count", "n,N", "n  N", "Choose N", opens=True)
def choose_count(explorer: Explorer) -> None:
    """How many pictures to mix: the first N of the folder, with equal weights."""
    session = explorer.session
    most = len(session.pictures) - len(session.failures)
    if most < 1:
        explorer.say("No pictures to choose from: f opens a folder.")
        return
    count = len(session.mixture) if session.mixture else min(USUAL_COUNT, most)
    explorer.open(CountDialog(count, most), partial(take_count, explorer))


def take_count(explorer: Explorer, count: int) -> None:
    """Mix the first `count` pictures, or all where there are fewer."""
    if explorer.session.set_count(count):
        mixed = plural(len(explorer.session.mixture or ()), "picture")
        explorer.changed(f"The first {mixed}, with equal weights.")


@AREA.command("mix.toggle", "space", "space", "In or out")
def toggle(explorer: Explorer) -> None:
    """Take the picture under the cursor into the mixture, or out of it."""
    keys = chosen(explorer)
    mixed = set(explorer.session.mixture.keys) if explorer.session.mixture else set()
    what = "taken out" if mixed.issuperset(keys) else "taken in"
    if keys:
        edit(explorer, explorer.session.toggle(*keys), about(explorer, keys, what))
    elif isinstance(explorer.pictures.row, Heading):
        on_current(explorer)


def click_signs(explorer: Explorer, clicked: SignsClicked) -> None:
    """The mouse on a picture's signs takes it in or out, or marks it."""
    pictures = explorer.pictures
    if isinstance(pictures.row, Heading):
        pictures.fold()
    elif clicked.is_marking:
        pictures.mark()
    elif (current := pictures.current) is not None:
        edit(explorer, explorer.session.toggle(str(current)))


@AREA.command("list.filter", "slash", "/", "Filter")
def filter(explorer: Explorer) -> None:
    """Show the pictures that have these words in their name; escape shows all again."""
    explorer.pictures.start_filter()


@AREA.command("list.order", "O", "O", "Order")
def order(explorer: Explorer) -> None:
    """By name or weight; by norm or influence once the pictures are inverted."""
    explorer.pictures.order_otherwise()


@AREA.command("list.mark", "a", "a", "Mark")
def mark(explorer: Explorer) -> None:
    """Mark the picture and move down: space, 0, = and * are then for all marked ones."""
    explorer.pictures.mark()


@AREA.command("list.mark_all", "A", "A", "Mark all or none")
def mark_all(explorer: Explorer) -> None:
    """Mark all pictures that are shown, or none if any is marked."""
    explorer.pictures.mark_all()


@AREA.command("list.paths", "Y", "Y", "Copy paths")
def copy_paths(explorer: Explorer) -> None:
    """Copy the paths of the marked pictures, or of the one under the cursor."""
    if keys := chosen(explorer):
        what = plural(len(keys), "path")
        copy_text(explorer, "\n".join(keys) + "\n" * (len(keys) > 1), f"{what} copied.")


@AREA.command("list.group", "Z", "Z", "Group by folder")
def group(explorer: Explorer) -> None:
    """Show each folder's pictures under its name, with their number."""
    explorer.pictures.group()


@AREA.command("list.fold", "z", "z", "Fold a folder")
def fold(explorer: Explorer) -> None:
    """Hide the pictures of the folder under the cursor, or show them again."""
    explorer.pictures.fold()


@AREA.command("list.pictures", "T", "T", "Small pictures")
def small_pictures(explorer: Explorer) -> None:
    """Show a small picture beside each name, or none."""
    explorer.pictures.toggle_height()


@AREA.command("list.failures", "F", "F", "Pictures left out", opens=True)
@given(attrgetter("session.failures"), "Every picture that was needed could be read.")
def show_failures(explorer: Explorer, failures: Mapping[str, str]) -> None:
    """Those that could not be used, with the reasons, to try again."""
    explorer.open(FailuresDialog(failures), partial(_retry, explorer))


def _retry(explorer: Explorer, keys: list[str]) -> None:
    if not explorer.session.toggle(*keys):
        return
    name = display_name(Path(keys[0]).name) if len(keys) == 1 else plural(len(keys), "picture")
    explorer.changed(f"Trying {name} again.")
    if not explorer.work.is_busy:
        explorer.jobs.invert()


@AREA.command("picture.open", "o", "o", "Open in the viewer")
@given(attrgetter("pane.path"), "No picture to open yet: g makes one.")
def open_in_viewer(explorer: Explorer, path: Path) -> None:
    """Open the picture shown in the system's viewer; without one, its path is copied."""

    def take(answer: Opened) -> None:
        if not answer.is_open:
            explorer.copy(str(path))
            explorer.warn(f"{answer.message} (its path is copied)")
        explorer.say(answer.message)

    explorer.say(f"opening {display_name(path.name)}…")
    # On a thread of its own: a viewer may take two seconds to fail.
    explorer.engines.viewer.submit(
        Job("view", lambda: open_picture(path), take, explorer.show_error)
    )


@AREA.command("picture.flip", "v", "v", "Mixture or input")
def flip(explorer: Explorer) -> None:
    """Show the picture of the mixture, or the one under the cursor."""
    explorer.pane.turn(to_mixture=not explorer.pane.shows_mixture)
