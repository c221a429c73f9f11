"""The list of pictures with their weights as bars: a virtual list, 10,000 rows open at once.

Only the lines in sight are drawn. Signs, not colours, say what is in the mixture, what is inverted
and what could not be read; the cursor is drawn in reverse.
"""

from __future__ import annotations

from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from latmix.names import display_name
from latmix.report import weight_bar
from latmix.session import Session
from latmix.tui.messages import CursorMoved

WEIGHT_CELLS = 5
TYPED = {digit: digit for digit in "123456789"} | {"full_stop": ".", "percent_sign": "%"}
"""Keys that type a weight; 0 mutes unless one is being typed."""

CURSOR = Style(reverse=True, bold=True)
MARKS = "● in  ○ muted  ✓ inverted  ✗ unreadable"


def parse_weight(text: str) -> float | None:
    """A typed weight: a share such as .3, or a percentage such as 30 or 0.5%; None for neither."""
    number = text.removesuffix("%")
    try:
        value = float(number)
    except ValueError:
        return None
    value = value / 100 if value > 1 or number != text else value
    return value if 0 <= value <= 1 else None


def bar_cells(width: int) -> int:
    """Cells of the weight bars in a list of this width."""
    return max(6, min(40, width // 3 - 6))


class PictureHeader(Static):
    """The line above the list."""

    def render(self) -> Text:
        width = self.size.width
        name = max(1, width - 5 - WEIGHT_CELLS - 1 - bar_cells(width) - 1)
        return Text("    " + "picture".ljust(name + 1)[: name + 1] + "weight", style="dim")


class PictureList(ScrollView, can_focus=True):
    """Renders the session's pictures and the weight being typed; posts where the cursor is."""

    HELP = (
        "The pictures of the folder. Those with a bar are in the mixture; the keys act on the one "
        "under the cursor, > and in reverse."
    )
    COMPONENT_CLASSES = {"pictures--bar", "pictures--out", "pictures--failed"}
    BINDINGS = [
        Binding("down,j", "move(1)", "Down", show=False, id="list.down", tooltip="One down."),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up", tooltip="One up."),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down",
                tooltip="One page down."),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up",
                tooltip="One page up."),
        Binding("home", "move_to(0)", "First", show=False, id="list.first",
                tooltip="The first picture."),
        Binding("end", "move_to(-1)", "Last", show=False, id="list.last",
                tooltip="The last picture."),
        Binding("tab", "next_mixed(1)", "Next of the mixture", show=False, id="list.next_mixed",
                tooltip="The next picture of the mixture."),
        Binding("shift+tab", "next_mixed(-1)", "Previous of the mixture", show=False,
                id="list.previous_mixed", tooltip="The previous picture of the mixture."),
        Binding("backspace", "erase", "Erase", show=False, id="list.erase",
                tooltip="Take back the last character of the weight."),
        # As bindings and not as key events: those would overtake the bindings pressed before them.
        *(Binding(key, f"type('{sign}')", f"Type {sign}", show=False, id=f"list.type_{key}",
                  tooltip="Type a weight for the picture under the cursor.")
          for key, sign in TYPED.items()),
    ]  # fmt: skip

    def __init__(self, session: Session) -> None:
        super().__init__(id="pictures")
        self._session = session
        self._weights: dict[str, float] = {}
        self._largest = 0.0
        self.cursor = 0
        self.entry: str | None = None

    @property
    def current(self) -> Path | None:
        """The picture under the cursor."""
        pictures = self._session.pictures
        return pictures[self.cursor] if self.cursor < len(pictures) else None

    def show_session(self) -> None:
        """Draw the mixture anew."""
        mixture = self._session.mixture
        self._weights = mixture.as_dict() if mixture else {}
        self._largest = max(self._weights.values(), default=0.0)
        self.refresh()

    def show_folder(self) -> None:
        """Take up the session's pictures, from the first."""
        self.virtual_size = Size(0, len(self._session.pictures))
        self.show_session()
        self._put_cursor(0)

    def on_resize(self) -> None:
        self._follow()

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        base = self.rich_style
        if not 0 <= index < len(self._session.pictures):
            return Strip.blank(width, base)
        words, bar = self._row(index, width, base)
        strip = Strip(words)
        if index == self.cursor:
            # The bar keeps its look: in reverse its empty part would seem to be the weight.
            wide = width if not bar else strip.cell_length
            strip = strip.adjust_cell_length(wide, base).apply_style(CURSOR)
        return Strip([*strip, *bar]).adjust_cell_length(width, base)

    def _row(self, index: int, width: int, base: Style) -> tuple[list[Segment], list[Segment]]:
        """A line's words and its bar."""
        path = self._session.pictures[index]
        key = str(path)
        weight = self._weights.get(key)
        failed = key in self._session.failures
        cells = bar_cells(width)
        name_cells = max(1, width - 5 - WEIGHT_CELLS - 1 - cells - 1)
        style = base
        if failed:
            style += self.get_component_rich_style("pictures--failed", partial=True)
        elif weight is None:
            style += self.get_component_rich_style("pictures--out", partial=True)
        name = display_name(self._shown(path), name_cells)
        head = f"{'>' if index == self.cursor else ' '}{self._marks(key, weight, failed)} "
        segments = [Segment(head, style), *_padded(name, name_cells, style), Segment(" ", base)]
        if index == self.cursor and self.entry is not None:
            typed = f"={self.entry}▏ enter"
            return [*segments, Segment(typed, base + Style(bold=True))], []
        if failed:
            return [*segments, Segment("unreadable", style)], []
        if weight is None:
            return segments, []
        bar = base + self.get_component_rich_style("pictures--bar", partial=True)
        filled = weight_bar(weight, self._largest, cells)
        return [*segments, Segment(f"{weight:.3f} ", style)], [Segment(filled, bar)]

    def _marks(self, key: str, weight: float | None, failed: bool) -> str:
        mixed = " " if weight is None else ("●" if weight > 0 else "○")
        latent = "✗" if failed else ("✓" if self._session.is_inverted(key) else " ")
        return mixed + latent

    def _shown(self, path: Path) -> Path | str:
        """The name below the folder, or with `recursive` the way to it."""
        folder = self._session.folder
        if self._session.recursive and folder is not None and path.is_relative_to(folder):
            return path.relative_to(folder)
        return path.name

    # Moving

    def action_move(self, by: int) -> None:
        self._put_cursor(self.cursor + by)

    def action_page(self, by: int) -> None:
        self._put_cursor(self.cursor + by * max(1, self.size.height - 1))

    def action_move_to(self, index: int) -> None:
        self._put_cursor(index if index >= 0 else len(self._session.pictures) + index)

    def action_next_mixed(self, by: int) -> None:
        pictures = self._session.pictures
        for step in range(1, len(pictures)):
            index = (self.cursor + by * step) % len(pictures)
            if str(pictures[index]) in self._weights:
                self._put_cursor(index)
                return

    def on_click(self, event: events.Click) -> None:
        index = event.y + self.scroll_offset.y
        if 0 <= index < len(self._session.pictures):
            self._put_cursor(index)

    def _put_cursor(self, index: int) -> None:
        index = max(0, min(index, len(self._session.pictures) - 1))
        moved = index != self.cursor
        self.cursor = index
        if moved:
            self.entry = None
        self._follow()
        self.refresh()
        if moved and self.current is not None:
            self.post_message(CursorMoved(self.current))

    def _follow(self) -> None:
        """Scroll so that the cursor is in sight."""
        height = self.scrollable_content_region.height
        top = self.scroll_offset.y
        if self.cursor < top:
            top = self.cursor
        elif height and self.cursor >= top + height:
            top = self.cursor - height + 1
        self.scroll_to(y=top, animate=False, immediate=True)

    # Typing a weight

    def start_entry(self, text: str = "") -> None:
        """Begin to type a weight for the picture under the cursor."""
        if self.current is not None:
            self.entry = text
            self.refresh()

    def action_type(self, character: str) -> None:
        """Add a character to the weight; the first one begins it."""
        if self.entry is None:
            if character == "%":
                return
            self.start_entry()
        self.entry = ((self.entry or "") + character)[:6]
        self.refresh()

    def action_erase(self) -> None:
        if self.entry is not None:
            self.entry = self.entry[:-1]
            self.refresh()

    def end_entry(self) -> float | None:
        """Stop typing; the weight, or None where what was typed is none."""
        text, self.entry = self.entry or "", None
        self.refresh()
        return parse_weight(text)


def _padded(name: str, cells: int, style: Style) -> list[Segment]:
    """The name in exactly `cells` cells, whatever it is made of."""
    return list(Strip([Segment(name, style)]).adjust_cell_length(cells, style))
