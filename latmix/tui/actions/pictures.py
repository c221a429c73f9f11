"""What the keys do with pictures: which folder, which are mixed, how the list shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, wraps
from operator import attrgetter
from pathlib import Path

from latmix.jobs.engine import Job
from latmix.names import display_name, plural
from latmix.session.choices import USUAL_COUNT
from latmix.tui.actions.chosen import about, chosen, edit, on_current
from latmix.tui.actions.folders import open_folder
from latmix.tui.actions.keeping import copy_text
from latmix.tui.dialogs.folder import FolderDialog
from latmix.tui.dialogs.lists import FailuresDialog
from latmix.tui.dialogs.text_entry import CountDialog
from latmix.tui.explorer import Explorer
from latmix.tui.keys.command import Area, given
from latmix.tui.listing.arrangement import Heading
from latmix.tui.listing.picture_list import PictureList
from latmix.tui.messages import SignsClicked
from latmix.viewer import Opened, open_picture

AREA = Area("Pictures")


@AREA.command("folder.open", "f", "f", "Open a folder", opens=True)
def choose_folder(explorer: Explorer) -> None:
    """Choose a folder of pictures, or built-in ones."""
    folder = explorer.session.folder
    start = folder.parent if folder is not None else Path.cwd()
    dialog = FolderDialog(start, explorer.engines.files)
    explorer.open(dialog, partial(open_folder, explorer))


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


def on_list(act: Callable[[PictureList], object]) -> Callable[[Explorer], None]:
    """A command that is the list's own."""

    @wraps(act)
    def run(explorer: Explorer) -> None:
        act(explorer.pictures)

    return run


AREA.command("list.filter", "slash", "/", "Filter")(on_list(PictureList.start_filter))
AREA.command("list.order", "O", "O", "Order")(on_list(PictureList.order_otherwise))
AREA.command("list.mark", "a", "a", "Mark")(on_list(PictureList.mark))
AREA.command("list.mark_all", "A", "A", "Mark all or none")(on_list(PictureList.mark_all))


@AREA.command("list.paths", "Y", "Y", "Copy paths")
def copy_paths(explorer: Explorer) -> None:
    """Copy the paths of the marked pictures, or of the one under the cursor."""
    if keys := chosen(explorer):
        what = plural(len(keys), "path")
        copy_text(explorer, "\n".join(keys) + "\n" * (len(keys) > 1), f"{what} copied.")


AREA.command("list.group", "Z", "Z", "Group by folder")(on_list(PictureList.group))
AREA.command("list.fold", "z", "z", "Fold a folder")(on_list(PictureList.fold))
AREA.command("list.pictures", "T", "T", "Small pictures")(on_list(PictureList.toggle_height))


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
