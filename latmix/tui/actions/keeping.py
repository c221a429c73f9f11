"""What the keys do to keep weights and come back to them: bookmarks, clipboard, files, undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from latmix.disk import write_durably
from latmix.mixing.mixture import Mixture
from latmix.names import display_name, plural
from latmix.session import weight_tables
from latmix.tui.actions.chosen import MIXTURE, PICTURES, chosen
from latmix.tui.dialogs.text_entry import FileDialog
from latmix.tui.explorer import Explorer
from latmix.tui.keys.command import Area, given

AREA = Area("Weights")

CLIPBOARD_BYTES = 70_000
"""What terminals take through OSC 52; more is saved to a file instead."""


@AREA.command("bookmark.set", "B", "B", "Set a bookmark")
@given(MIXTURE, "No mixture to bookmark: f opens a folder.")
def set_bookmark(explorer: Explorer, _: Mixture) -> None:
    """Keep these weights, method and prompt to come back to; again removes it."""
    is_set = explorer.session.toggle_bookmark()
    explorer.changed("Bookmark set: [ and ] come back to it." if is_set else "Bookmark removed.")


@AREA.command("bookmark.previous", "left_square_bracket", "[ ]", "Previous bookmark")
def previous_bookmark(explorer: Explorer) -> None:
    """To the bookmark before the last one come to; ] to the next."""
    _go_to_bookmark(explorer, -1)


@AREA.command("bookmark.next", "right_square_bracket", "]", "Next bookmark")
def next_bookmark(explorer: Explorer) -> None:
    """To the bookmark after the last one come to."""
    _go_to_bookmark(explorer, 1)


def _go_to_bookmark(explorer: Explorer, by: int) -> None:
    session = explorer.session
    number = session.go_to_bookmark(by)
    if number is None:
        explorer.say("No bookmarks here yet: B sets one.")
    else:
        count = len(session.bookmarks.of(session.folder))
        explorer.changed(f"Bookmark {number} of {count}; u undoes it.")


@AREA.command("weights.copy", "C", "C", "Copy the weights")
@given(MIXTURE, "No weights to copy: f opens a folder.")
def copy_weights(explorer: Explorer, mixture: Mixture) -> None:
    """Copy the weights as CSV; text pasted into the window, CSV or -w words, sets them."""
    count = plural(len(mixture), "weight")
    copy_text(explorer, _text(explorer), f"{count} copied; paste them here or in a file.")


@AREA.command("weights.load", "I", "I", "Weights from a file", opens=True)
@given(PICTURES, "No pictures to give weights to: f opens a folder.")
def load_weights(explorer: Explorer, _: Sequence[Path]) -> None:
    """Take the weights of a CSV file, as latmix mix --weights does."""
    sentence = "A CSV file with the columns name, weight, as latmix mix --weights reads it."
    dialog = FileDialog("Weights from a file", sentence, str(explorer.weights_file), False)

    def load(file: Path) -> None:
        explorer.weights_file = file
        _read_weights(explorer, display_name(file.name), partial(weight_tables.read_weights, file))

    explorer.open(dialog, load)


def paste(explorer: Explorer, text: str) -> None:
    """Take the weights of a text that was pasted."""
    _read_weights(explorer, "the pasted text", partial(weight_tables.parse_weights, text))


def _read_weights(
    explorer: Explorer, source: str, read: Callable[[], list[weight_tables.Pair]]
) -> None:
    paths = list(explorer.session.pictures)
    take = partial(_take_weights, explorer, source)
    explorer.ask("weights", lambda: weight_tables.match_weights(read(), paths), take)


def _take_weights(explorer: Explorer, source: str, read: dict[Path, float]) -> None:
    weights = {str(path): weight for path, weight in read.items()}
    count = plural(len(weights), "weight")
    if explorer.session.set_weights(weights):
        explorer.changed(f"{count} from {source}; u undoes it.")
    else:
        explorer.say(f"{count} from {source}, the same as here.")


@AREA.command("weights.export", "X", "X", "Write to a file", opens=True)
@given(MIXTURE, "Nothing to write: f opens a folder.")
def export(explorer: Explorer, _: Mixture) -> None:
    """Write the weights as CSV, or the paths of the marked pictures."""
    count = plural(len(chosen(explorer)), "marked picture")
    sentence = (
        "A name that ends in .txt gets the paths of the "
        f"{count}, one a line; any other the weights as CSV."
        if explorer.pictures.marked
        else "The weights as CSV, for I and for latmix mix --weights."
    )
    dialog = FileDialog("Write to a file", sentence, str(explorer.weights_file), True)
    explorer.open(dialog, partial(_export, explorer))


def _export(explorer: Explorer, file: Path) -> None:
    if explorer.pictures.marked and file.suffix == ".txt":
        keys = chosen(explorer)
        text, what = "\n".join(keys) + "\n", plural(len(keys), "path")
    else:
        explorer.weights_file = file
        text, what = _text(explorer), plural(len(explorer.session.mixture or ()), "weight")
    said = f"{what} written to {display_name(file)}."
    work = partial(write_durably, file, [text.encode("utf-8", "surrogateescape")])
    explorer.ask("write", work, lambda _: explorer.say(said))


@AREA.command("history.undo", "u,ctrl+z", "u  ctrl+z", "Undo")
def undo(explorer: Explorer) -> None:
    """Back to the weights, method, N or prompt before the last change."""
    if explorer.session.undo():
        explorer.changed("Undone; ctrl+y redoes it.")
    else:
        explorer.say("Nothing to undo.")


@AREA.command("history.redo", "ctrl+y,U", "ctrl+y  U", "Redo")
def redo(explorer: Explorer) -> None:
    """Forward again after an undo."""
    if explorer.session.redo():
        explorer.changed("Redone.")
    else:
        explorer.say("Nothing to redo.")


def copy_text(explorer: Explorer, text: str, said: str) -> None:
    """To the clipboard, if that takes so much."""
    if len(text.encode("utf-8", "replace")) > CLIPBOARD_BYTES:
        explorer.say("Too much for a terminal's clipboard: X writes it to a file.")
    else:
        explorer.copy(text)
        explorer.say(said)


def _text(explorer: Explorer) -> str:
    mixture = explorer.session.mixture
    weights = {Path(key): w for key, w in mixture.as_dict().items()} if mixture else {}
    return weight_tables.weights_text(weights, explorer.session.pictures)
