"""The list of pictures with their weights as bars: what keys and the mouse do in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual import events

from latmix.jobs.engine import Engine
from latmix.names import plural
from latmix.session.session import Session
from latmix.tui.keys.binding import key
from latmix.tui.listing.arrangement import Heading
from latmix.tui.listing.picture_view import LOW, PictureView
from latmix.tui.messages import BarPulled, ListChanged, SignsClicked

FILTER = "list.filter"
"""The command that begins to take keys as words."""

TYPED = {digit: digit for digit in "123456789"} | {"full_stop": ".", "percent_sign": "%"}
"""Keys that type a weight; 0 mutes unless one is being typed."""


def parse_weight(text: str) -> float | None:
    """A typed weight: a share such as .3, or a percentage such as 30 or 0.5%; None for neither."""
    number = text.removesuffix("%")
    try:
        value = float(number)
    except ValueError:
        return None
    value = value / 100 if value > 1 or number != text else value
    return value if 0 <= value <= 1 else None


class PictureList(PictureView):
    """Takes weights and words to filter by as they are typed, and is shown as the keys say."""

    HELP = (
        "The pictures of the folder. Those with a bar are in the mixture; the keys act on the one "
        "under the cursor, > and in reverse."
    )
    BINDINGS = [
        key("list.down", "down,j", "move(1)", "Down", "One down."),
        key("list.up", "up,k", "move(-1)", "Up", "One up."),
        key("list.page_down", "pagedown", "page(1)", "Page down", "One page down."),
        key("list.page_up", "pageup", "page(-1)", "Page up", "One page up."),
        key("list.first", "home", "move_to(0)", "First", "The first picture."),
        key("list.last", "end", "move_to(-1)", "Last", "The last picture."),
        key("list.next_mixed", "tab", "next_mixed(1)", "Next of the mixture",
            "The next picture of the mixture."),
        key("list.previous_mixed", "shift+tab", "next_mixed(-1)", "Previous of the mixture",
            "The previous picture of the mixture."),
        key("list.erase", "backspace", "erase", "Erase",
            "Take back the last character of the weight."),
        # As bindings and not as key events: those would overtake the bindings pressed before them.
        *(key(f"list.type_{name}", name, f"type('{sign}')", f"Type {sign}",
              "Type a weight for the picture under the cursor.") for name, sign in TYPED.items()),
    ]  # fmt: skip

    def __init__(self, session: Session, engine: Engine, is_held: Callable[[], bool]) -> None:
        """Renders a session.

        Args:
            engine: reads the small pictures.
            is_held: whether escape has something else to leave first.
        """
        super().__init__(session, engine)
        self._is_held = is_held
        self._pulled: Path | None = None

    # How it is shown

    @property
    def marked(self) -> set[str]:
        """Pictures that the next edit is for."""
        return self.arrangement.marked

    def order_otherwise(self) -> None:
        """By name or weight; by norm or influence once the pictures are inverted."""
        order = self.arrangement.next_order(self._session)
        self.rearrange()
        more = "" if self._session.latents.live else " Norm and influence come with i."
        self._changed(f"Ordered by {order}.{more}")

    def group(self) -> None:
        """Show each folder's pictures under its name, with their number."""
        is_grouped = self.arrangement.is_grouped = not self.arrangement.is_grouped
        self.rearrange()
        self._changed("Grouped by folder; z folds one." if is_grouped else "No groups.")

    def fold(self) -> None:
        """Hide the pictures of the folder under the cursor, or show them again."""
        row = self.row
        if not self.arrangement.is_grouped:
            self._changed("Z groups the pictures by folder first.")
        elif row is not None:
            self.arrangement.folded ^= {row.folder if isinstance(row, Heading) else row.parent}
            self.rearrange()
            self._changed()

    def toggle_height(self) -> None:
        """Show a small picture beside each name, or none."""
        self._is_high = self._painter.lines == LOW
        self._choose_height()
        self.show_session()
        self._follow()
        self._want_tiles()
        shown = "shown" if self._painter.lines > LOW else "hidden"
        self._changed(f"Small pictures {shown}.")

    def mark(self) -> None:
        """Mark the picture and move down: space, 0, = and * are then for all marked ones."""
        row, arrangement = self.row, self.arrangement
        if isinstance(row, Heading):
            arrangement.mark(*(path for path in arrangement.passing if path.parent == row.folder))
        elif row is not None:
            arrangement.mark(row)
            self.action_move(1)
        self._show_marks()

    def mark_all(self) -> None:
        """Mark all pictures that are shown, or none if any is marked."""
        if self.marked:
            self.marked.clear()
        else:
            self.arrangement.mark(*self.arrangement.passing)
        self._show_marks()

    def _show_marks(self) -> None:
        count = len(self.marked)
        self.repaint()
        self._changed(
            f"{plural(count, 'picture')} marked: space, 0, = and * are for them, Y copies paths."
            if count
            else "Nothing is marked."
        )

    def _changed(self, said: str = "") -> None:
        self.keep()
        self.post_message(ListChanged(said))

    # Typing words to filter by

    def start_filter(self) -> None:
        """Show the pictures that have these words in their name; escape shows all again."""
        self._rested = self.row or self._rested
        self.is_filtering = True
        self.entry = None
        self.filter(self.arrangement.words)

    def filter(self, words: str) -> None:
        """Show only the pictures that have these words in their path."""
        if words != self.arrangement.words:
            self.arrangement.words = words
            self.rearrange()
        self.post_message(ListChanged())

    def on_key(self, event: events.Key) -> None:
        """What must not wait for the keys' bindings: words that are typed, and how they begin.

        The letters of a word that is typed fast would else be taken for commands.
        """
        taken = self._take_filter_key(event) if self.is_filtering else self._begin_or_clear(event)
        if taken:
            event.stop()
            event.prevent_default()

    def _begin_or_clear(self, event: events.Key) -> bool:
        if event.key == "escape":
            return not self._is_held() and self._clear()
        bound = self.screen.active_bindings.get(event.key)
        if bound is None or bound.binding.id != FILTER:
            return False
        self.start_filter()
        return True

    def _clear(self) -> bool:
        """Clear the marks, or else the filter; False where there is neither."""
        is_marked, is_filtered = bool(self.marked), bool(self.arrangement.words)
        if is_marked:
            self.mark_all()
        elif is_filtered:
            self.filter("")
        return is_marked or is_filtered

    def _take_filter_key(self, event: events.Key) -> bool:
        words = self.arrangement.words
        if event.is_printable and event.character:
            self.filter(words + event.character)
        elif event.key == "backspace":
            self.filter(words[:-1])
        elif event.key in ("escape", "ctrl+c", "ctrl+u"):
            self.filter("")
            self.is_filtering = event.key == "ctrl+u"
        else:
            self.is_filtering = False
            self.post_message(ListChanged())
            return event.key == "enter"
        return True

    def on_paste(self, event: events.Paste) -> None:
        if self.is_filtering:
            event.stop()
            self.filter(self.arrangement.words + " ".join(event.text.split()))

    # The mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        index = (event.y + self.scroll_offset.y) // self._painter.lines
        if self.is_filtering:
            self.is_filtering = False
            self.post_message(ListChanged())
        if event.button != 1 or not 0 <= index < len(self.arrangement.rows):
            return
        self._put_cursor(index)
        path = self.current
        share = self.columns.share_at(event.x)
        if path is None:
            self.post_message(SignsClicked(False))
        elif event.ctrl or self.columns.is_on_signs(event.x):
            self.post_message(SignsClicked(event.ctrl))
        elif share is not None and str(path) not in self._session.failures:
            self._pulled = path
            self.capture_mouse()
            self._pull(event.x, True)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._pulled is not None:
            self._pull(event.x, False)

    def on_mouse_up(self) -> None:
        if self._pulled is not None:
            self._pulled = None
            self.release_mouse()

    def _pull(self, x: int, is_first: bool) -> None:
        """Set the weight to where the mouse is; right of the bars is more than the largest."""
        if is_first:
            self._pull_scale = self._painter.largest or 1.0
        share = self.columns.share_at(x)
        weight = 0.0 if share is None else min(1.0, share * self._pull_scale)
        if self._pulled is not None:
            self.post_message(BarPulled(self._pulled, round(weight, 3), is_first))

    # Typing a weight

    def start_entry(self, text: str = "") -> None:
        """Begin to type a weight for the picture under the cursor."""
        if self.current is not None:
            self.entry = text
            self.repaint()

    def action_type(self, character: str) -> None:
        """Add a character to the weight; the first one begins it."""
        if self.entry is None:
            if character == "%":
                return
            self.start_entry()
        if self.entry is not None:
            self.entry = (self.entry + character)[:6]
            self.repaint()

    def action_erase(self) -> None:
        if self.entry is not None:
            self.entry = self.entry[:-1]
            self.repaint()

    def end_entry(self) -> float | None:
        """Stop typing; the weight, or None where what was typed is none."""
        text, self.entry = self.entry or "", None
        self.repaint()
        return parse_weight(text)
