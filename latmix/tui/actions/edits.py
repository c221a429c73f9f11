"""What the keys do with weights: on the picture under the cursor, or on the marked ones."""

from __future__ import annotations

import random
from pathlib import Path

from textual import events

from latmix.jobs.screen.weights import TextWritten, WeightsRead
from latmix.names import display_name, plural
from latmix.session.weight_tables import weights_text
from latmix.tui.dialogs.files import FileDialog
from latmix.tui.explorer import Explorer
from latmix.tui.messages import BarPulled, SignsClicked

SEEDS = 10_000
"""Seeds of random weights are below this: short enough to read out."""

CLIPBOARD_BYTES = 70_000
"""What terminals take through OSC 52; more is saved to a file instead."""


class Edits(Explorer):
    """The commands on weights."""

    def _edit(self, done: bool, said: str = "") -> None:
        self.pictures.entry = None
        if done:
            self.changed(said)
        else:
            self.bell()

    def _on_current(self) -> str | None:
        """The picture that the keys act on; says why where it cannot have weight."""
        current = self.pictures.current
        if self.pictures.is_heading():
            self.say("A folder: enter or z folds it, a marks its pictures.")
        elif current is None:
            found = bool(self.session.pictures)
            self.say("No picture has these words." if found else "No folder is open: f opens one.")
        elif str(current) in self.session.failures:
            self.say("It could not be read; space tries it again.")
        else:
            return str(current)
        return None

    def _chosen(self) -> list[str]:
        """The marked pictures in the folder's order, or else the one under the cursor."""
        if marked := self.pictures.arrangement.marked:
            return [key for path in self.session.pictures if (key := str(path)) in marked]
        current = self.pictures.current
        return [str(current)] if current is not None else []

    def _about(self, keys: list[str], what: str) -> str:
        """What was done, where it was done to marked pictures."""
        is_many = bool(self.pictures.arrangement.marked)
        return f"{plural(len(keys), 'marked picture')} {what}." if is_many else ""

    # One weight

    def action_nudge(self, amount: float) -> None:
        if self.pictures.is_heading():
            self.fold_here()
        elif key := self._on_current():
            self._edit(self.session.nudge(key, amount), self._stuck(key))

    def action_type_weight(self) -> None:
        """Begin to type a weight, or set the one that was typed."""
        if self.pictures.is_heading():
            self.fold_here()
            return
        if not (key := self._on_current()):
            return
        if self.pictures.entry is None:
            self.pictures.start_entry()
            return
        weight = self.pictures.end_entry()
        if weight is None:
            self.bell()
        else:
            self._edit(self.session.set_weight(key, weight), self._stuck(key))

    def _stuck(self, key: str) -> str:
        """Why a weight cannot go further."""
        mixture = self.session.mixture
        others = set(mixture.keys) - {key} if mixture else set()
        if mixture is None or not mixture.pinned & others:
            return ""
        return "Pinned pictures keep their weight." if others <= mixture.pinned else ""

    def action_solo(self) -> None:
        if key := self._on_current():
            self._edit(self.session.set_weight(key, 1.0))

    def on_bar_pulled(self, message: BarPulled) -> None:
        # A pull is one edit: each of its places takes that of the one before.
        held = self.session.choices
        if message.is_first:
            self._pulled_from = held
        elif held is self._pulled_to and held is not self._pulled_from:
            self.session.undo()
        self._edit(self.session.set_weight(str(message.path), message.weight))
        self._pulled_to = self.session.choices

    _pulled_from: object = None
    _pulled_to: object = None

    # One or the marked ones

    def action_mute(self) -> None:
        if self.pictures.entry is not None:
            self.pictures.action_type("0")
        elif keys := self._chosen():
            self._edit(self.session.mute(*keys), self._about(keys, "muted"))

    def action_toggle_picture(self) -> None:
        keys = self._chosen()
        mixed = set(self.session.mixture.keys) if self.session.mixture else set()
        what = "taken out" if mixed.issuperset(keys) else "taken in"
        if keys:
            self._edit(self.session.toggle(*keys), self._about(keys, what))
        elif self.pictures.is_heading():
            self._on_current()

    def action_pin(self) -> None:
        mixture = self.session.mixture
        keys = [key for key in self._chosen() if mixture and key in mixture]
        if not keys or mixture is None:
            self.say("Only pictures of the mixture can be pinned: space takes one in.")
            return
        what = "no longer pinned" if mixture.pinned.issuperset(keys) else "pinned"
        names = self._about(keys, what) or f"{display_name(Path(keys[0]).name)} {what}."
        self._edit(self.session.pin(*keys), names)

    def action_equalise(self) -> None:
        keys = self._chosen() if self.pictures.arrangement.marked else []
        self._edit(self.session.equalise(*keys), self._about(keys, "equal") or "Equal weights.")

    def action_randomise(self) -> None:
        seed = random.randrange(SEEDS)
        self._edit(self.session.randomise(seed), f"Random weights, seed {seed}.")

    def on_signs_clicked(self, message: SignsClicked) -> None:
        if self.pictures.is_heading():
            self.fold_here()
        elif message.is_marking:
            self.action_mark()
        elif (current := self.pictures.current) is not None:
            self._edit(self.session.toggle(str(current)))

    # There and back

    def action_undo(self) -> None:
        if self.session.undo():
            self.changed("Undone; ctrl+y redoes it.")
        else:
            self.say("Nothing to undo.")

    def action_redo(self) -> None:
        if self.session.redo():
            self.changed("Redone.")
        else:
            self.say("Nothing to redo.")

    def action_bookmark(self) -> None:
        is_set = self.session.toggle_bookmark()
        if is_set is None:
            self.say("No mixture to bookmark: f opens a folder.")
        else:
            self.changed(
                "Bookmark set: [ and ] come back to it." if is_set else "Bookmark removed."
            )

    def action_go_to_bookmark(self, by: int) -> None:
        number = self.session.go_to_bookmark(by)
        if number is None:
            self.say("No bookmarks here yet: B sets one.")
        else:
            count = len(self.session.bookmarks.of(self.session.folder))
            self.changed(f"Bookmark {number} of {count}; u undoes it.")

    # In writing

    def _weights_text(self) -> str:
        mixture = self.session.mixture
        weights = {Path(key): w for key, w in mixture.as_dict().items()} if mixture else {}
        return weights_text(weights, self.session.pictures)

    def action_copy_weights(self) -> None:
        if self.session.mixture is None:
            self.say("No weights to copy: f opens a folder.")
        else:
            count = plural(len(self.session.mixture), "weight")
            self._copy_text(self._weights_text(), f"{count} copied; paste them here or in a file.")

    def action_copy_paths(self) -> None:
        if keys := self._chosen():
            what = plural(len(keys), "path")
            self._copy_text("\n".join(keys) + "\n" * (len(keys) > 1), f"{what} copied.")

    def _copy_text(self, text: str, said: str) -> None:
        if len(text.encode("utf-8", "replace")) > CLIPBOARD_BYTES:
            self.say("Too much for a terminal's clipboard: X writes it to a file.")
        else:
            self.copy(text)
            self.say(said)

    def on_paste(self, event: events.Paste) -> None:
        """Text that was pasted into the window, and into no line of a dialog."""
        event.stop()
        if event.text.strip() and len(self.screen_stack) == 1:
            self.work.read_weights_text(event.text)

    def action_load_weights(self) -> None:
        if not self.session.pictures:
            self.say("No pictures to give weights to: f opens a folder.")
            return
        sentence = "A CSV file with the columns name, weight, as latmix mix --weights reads it."
        path = str(self.weights_file)
        self.push_screen(FileDialog("Weights from a file", sentence, path, False), self._load)

    def _load(self, path: Path | None) -> None:
        if path is not None:
            self.weights_file = path
            self.work.read_weights_file(path)

    def action_export(self) -> None:
        if self.session.mixture is None:
            self.say("Nothing to write: f opens a folder.")
            return
        count = len(self._chosen())
        sentence = (
            "A name that ends in .txt gets the paths of the "
            f"{plural(count, 'marked picture')}, one a line; any other the weights as CSV."
            if self.pictures.arrangement.marked
            else "The weights as CSV, for I and for latmix mix --weights."
        )
        path = str(self.weights_file)
        self.push_screen(FileDialog("Write to a file", sentence, path, True), self._export)

    def _export(self, path: Path | None) -> None:
        if path is None:
            return
        if self.pictures.arrangement.marked and path.suffix == ".txt":
            keys = self._chosen()
            self.work.write_text(path, "\n".join(keys) + "\n", plural(len(keys), "path"))
            return
        self.weights_file = path
        count = plural(len(self.session.mixture or ()), "weight")
        self.work.write_text(path, self._weights_text(), count)

    weights_file: Path = Path("weights.csv")

    def take_weights(self, read: WeightsRead) -> None:
        """Weights that were read from a file or a pasted text."""
        weights = {str(path): weight for path, weight in read.weights.items()}
        count = plural(len(weights), "weight")
        if self.session.set_weights(weights):
            self.changed(f"{count} from {read.source}; u undoes it.")
        else:
            self.say(f"{count} from {read.source}, the same as here.")

    def take_written(self, written: TextWritten) -> None:
        self.say(f"{written.what} written to {display_name(written.path)}.")

    # Elsewhere

    def copy(self, text: str) -> None:
        """To the clipboard, through the terminal (OSC 52)."""
        self.copy_to_clipboard(text.encode("utf-8", "backslashreplace").decode())

    def fold_here(self) -> None:
        """Fold the folder under the cursor, or open it."""
        raise NotImplementedError

    def action_mark(self) -> None:
        raise NotImplementedError
