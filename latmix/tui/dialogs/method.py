"""The grid of mixing methods, with what each computes and, once pictures are inverted, what it does
at the weights of the moment. One is taken, or several are marked to be compared.

All of it comes from `mixing`: a norm target or a split that is added there is here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.widgets import Static

from latmix.mixing.grid import methods, parse_method
from latmix.mixing.norms import NORMS
from latmix.mixing.splits import SPLITS
from latmix.tui.dialogs.dialog import Dialog
from latmix.tui.keys.binding import key

NAME = 6
"""Cells of a row's name."""

SIGNS = 2
"""Cells of a mark before a method and a remark after it."""

LARGEST_GAP = 4

REMARKS = {
    "✓": "Fine at these weights.",
    "!": "Would damage the picture at these weights.",
    "×": "Finds no direction at these weights.",
}
"""What a method would do, by the sign after its name."""


class MethodGrid(Static, can_focus=True):
    """Rows are norm targets, columns mean splits; a combination that does not exist is a dot."""

    def __init__(self, method: str, remarks: Mapping[str, str], marked: Sequence[str]) -> None:
        super().__init__(id="grid")
        chosen = parse_method(method)
        # A cut-off of the user's own has no column in the grid, and gets one.
        self._splits = SPLITS if chosen.split in SPLITS else (*SPLITS, chosen.split)
        self.row, self.column = NORMS.index(chosen.norm), self._splits.index(chosen.split)
        self.remarks = remarks
        self._chosen = method
        self._known = {*methods(), method}
        self.marked = list(marked)

    @property
    def method(self) -> str:
        """The one under the cursor."""
        return self._method_at(self.row, self.column)

    def _method_at(self, row: int, column: int) -> str:
        return f"{NORMS[row].name}/{self._splits[column].name}"

    def move(self, rows: int, columns: int) -> None:
        """To the next method that way; the grid has holes."""
        while True:
            self.row = (self.row + rows) % len(NORMS)
            self.column = (self.column + columns) % len(self._splits)
            if self.method in self._known:
                break
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None or place.y >= len(NORMS):
            return
        ends = list(accumulate(self._widths(), initial=NAME))
        for column, (first, end) in enumerate(pairwise(ends)):
            if first <= place.x < end and self._method_at(place.y, column) in self._known:
                self.row, self.column = place.y, column
                self.refresh()

    def _widths(self) -> list[int]:
        """Cells of each column, with the gap after it; the gaps are as wide as there is room."""
        needed = [len(split.name) + SIGNS for split in self._splits]
        gap = (self.size.width - NAME - sum(needed)) // len(needed)
        return [cells + max(1, min(gap, LARGEST_GAP)) for cells in needed]

    def render(self) -> Text:
        lines, widths = [], self._widths()
        for row, norm in enumerate(NORMS):
            line = Text(norm.name.ljust(NAME), style="dim", end="")
            for column in range(len(self._splits)):
                cell = self._cell(row, column)
                line.append_text(cell).append(" " * (widths[column] - len(cell)))
            lines.append(line)
        text = Text("\n").join(lines)
        text.no_wrap = True
        return text

    def _cell(self, row: int, column: int) -> Text:
        name = self._method_at(row, column)
        if name not in self._known:
            return Text(" ·")
        mark = "●" if name in self.marked else ("*" if name == self._chosen else " ")
        style = "reverse bold not dim" if (row, column) == (self.row, self.column) else "not dim"
        return Text(f"{mark}{self._splits[column].name}{self.remarks.get(name, ' ')}", style=style)


class MethodDialog(Dialog[tuple[str, ...]]):
    """Choose a method of the grid, or mark several; hands back the names."""

    TITLE_TEXT = "Method: norm target / mean split"
    KEYS_TEXT = "arrows, hjkl   enter takes it   esc leaves   * in use"
    MARKING_TEXT = "arrows, hjkl   space marks ●   enter compares   esc"
    BINDINGS = [
        key("method.up", "up,k", "move(-1,0)", "Up", "One up."),
        key("method.down", "down,j", "move(1,0)", "Down", "One down."),
        key("method.left", "left,h", "move(0,-1)", "Left", "One left."),
        key("method.right", "right,l", "move(0,1)", "Right", "One right."),
        key("method.mark", "space", "mark", "Mark", "Mark it, to be compared."),
        key("method.take", "enter,m", "take", "Take", "Use it."),
    ]

    def __init__(
        self, method: str, remarks: Mapping[str, str], marked: Sequence[str] = (), most: int = 0
    ) -> None:
        """Begin on a method.

        Args:
            remarks: by method, a sign of what it does at the present weights (may be empty).
            marked: methods to begin with where several are wanted.
            most: how many may be marked; 0 chooses one.
        """
        super().__init__(classes="method")
        self._most = most
        if most:
            self.TITLE_TEXT = f"Compare up to {most} methods: norm target / mean split"
            self.KEYS_TEXT = self.MARKING_TEXT
        self._grid = MethodGrid(method, remarks, marked)

    def contents(self) -> ComposeResult:
        yield self._grid
        yield Static(id="method-words")

    def begin(self) -> None:
        self._grid.focus()
        self._describe()

    def on_click(self) -> None:
        self._describe()

    def action_move(self, rows: int, columns: int) -> None:
        self._grid.move(rows, columns)
        self._describe()

    def action_mark(self) -> None:
        marked, method = self._grid.marked, self._grid.method
        if method in marked:
            marked.remove(method)
        elif len(marked) < self._most:
            marked.append(method)
        else:
            self.app.bell()
        self._grid.refresh()

    def action_take(self) -> None:
        if not self._most:
            self.dismiss((self._grid.method,))
        elif self._grid.marked:
            self.dismiss(tuple(self._grid.marked))
        else:
            self.app.bell()

    def _describe(self) -> None:
        method = parse_method(self._grid.method)
        text = Text.assemble((f"{method.name}  ", "bold"), method.sentence)
        if remark := self._grid.remarks.get(method.name):
            text.append(f" {remark} {REMARKS[remark]}", style="bold")
        text.append(f"\n{method.formula}")
        self.query_one("#method-words", Static).update(text)
