"""What the keys do with the list itself: filter, order, folders, marks, failures."""

from __future__ import annotations

from pathlib import Path

from latmix.names import display_name, plural
from latmix.tui.actions.edits import Edits
from latmix.tui.dialogs.failures import FailuresDialog
from latmix.tui.listing.arrangement import Heading
from latmix.tui.messages import TilesWanted


class Browsing(Edits):
    """The commands on the list."""

    # Filter and order

    def action_filter(self) -> None:
        self.pictures.start_filter()

    def on_filter_changed(self) -> None:
        self.show_filter()
        self.show_list_status()
        self.show_input()

    def action_order(self) -> None:
        order = self.pictures.arrangement.next_order(self.session)
        self.pictures.rearrange()
        self._keep()
        more = "" if self.session.live else " Norm and influence come with i."
        self.say(f"Ordered by {order}.{more}")

    def action_small_pictures(self) -> None:
        is_shown = self.pictures.toggle_height()
        self._keep()
        self.say("Small pictures shown." if is_shown else "Small pictures hidden.")

    # Folders

    def action_group(self) -> None:
        arrangement = self.pictures.arrangement
        arrangement.is_grouped = not arrangement.is_grouped
        self.pictures.rearrange()
        self._keep()
        self.say("Grouped by folder; z folds one." if arrangement.is_grouped else "No groups.")

    def action_fold(self) -> None:
        if self.pictures.arrangement.is_grouped:
            self.fold_here()
        else:
            self.say("Z groups the pictures by folder first.")

    def fold_here(self) -> None:
        row = self.pictures.row
        if row is not None:
            folder = row.folder if isinstance(row, Heading) else row.parent
            self.pictures.arrangement.fold(folder)
            self.pictures.rearrange()
            self._keep()

    # Marks

    def action_mark(self) -> None:
        row = self.pictures.row
        arrangement = self.pictures.arrangement
        if isinstance(row, Heading):
            arrangement.mark(*(path for path in arrangement.passing if path.parent == row.folder))
        elif row is not None:
            arrangement.mark(row)
            self.pictures.action_move(1)
        self._show_marks()

    def action_mark_all(self) -> None:
        arrangement = self.pictures.arrangement
        if arrangement.marked:
            arrangement.marked.clear()
        else:
            arrangement.mark(*arrangement.passing)
        self._show_marks()

    def clear_marks_or_filter(self) -> bool:
        """What escape does while nothing is at work; False where there is nothing to clear."""
        arrangement = self.pictures.arrangement
        if arrangement.marked:
            self.action_mark_all()
        elif arrangement.words:
            self.pictures.filter("")
        else:
            return False
        return True

    def _show_marks(self) -> None:
        count = len(self.pictures.arrangement.marked)
        self.say(
            f"{plural(count, 'picture')} marked: space, 0, = and * are for them, Y copies paths."
            if count
            else "Nothing is marked."
        )
        self.pictures.repaint()
        self.show_list_status()
        self._keep()

    def _keep(self) -> None:
        """How the list is shown is for the next start too."""
        self.pictures.keep()
        self.save_soon()

    # Small pictures

    def on_tiles_wanted(self, message: TilesWanted) -> None:
        self.work.read_tiles(message.paths)

    def take_tile(self, path: Path, image: object) -> None:
        self.pictures.take_tile(path, image)  # type: ignore[arg-type]

    # Failures

    def action_show_failures(self) -> None:
        if self.session.failures:
            self.push_screen(FailuresDialog(self.session.failures), self._retry)
        else:
            self.say("Every picture that was needed could be read.")

    def _retry(self, keys: list[str] | None) -> None:
        if not keys or not self.session.toggle(*keys):
            return
        name = display_name(Path(keys[0]).name) if len(keys) == 1 else plural(len(keys), "picture")
        self.changed(f"Trying {name} again.")
        if not self.work.is_busy:
            self.work.invert()
            self.show_job()
