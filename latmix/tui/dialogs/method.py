"""The grid of mixing methods, with what each computes and, once pictures are inverted, what it does
at the weights of the moment. One is taken, or several are marked to be compared.

All of it comes from `mixing.grid`: a method that is added there is here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from latmix.mixing.grid import MEANS, NORMS, methods, parse_method
from latmix.tui.dialogs.dialog import Dialog

NAME, CELL = 6, 9


class MethodGrid(Static, can_focus=True):
    """Rows are norm targets, columns mean splits; a combination that does not exist is a dot."""

    def __init__(self, method: str, remarks: Mapping[str, str], marked: Sequence[str]) -> None:
        super().__init__(id="grid")
        chosen = parse_method(method)
        self.row = [norm.name for norm in NORMS].index(chosen.norm)
        means = [mean.name for mean in MEANS]
        # A cut-off of the user's own has no column in the grid, and gets one.
        self._means = means if chosen.mean in means else [*means, chosen.mean]
        self.column = self._means.index(chosen.mean)
        self._remarks = remarks
        self._chosen = method
        self._known = {*methods(), method}
        self.marked = list(marked)

    @property
    def method(self) -> str:
        """The one under the cursor."""
        return f"{NORMS[self.row].name}/{self._means[self.column]}"

    def move(self, rows: int, columns: int) -> None:
        """To the next method that way; the grid has holes."""
        while True:
            self.row = (self.row + rows) % len(NORMS)
            self.column = (self.column + columns) % len(self._means)
            if self.method in self._known:
                break
        self.refresh()

    def toggle_mark(self) -> None:
        if self.method in self.marked:
            self.marked.remove(self.method)
        else:
            self.marked.append(self.method)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        row, column = event.y, (event.x - NAME) // CELL
        if not (0 <= row < len(NORMS) and 0 <= column < len(self._means)):
            return
        if f"{NORMS[row].name}/{self._means[column]}" in self._known:
            self.row, self.column = row, column
            self.refresh()

    def render(self) -> Table:
        table = Table(box=None, show_header=False, padding=0, pad_edge=False)
        table.add_column(width=NAME)
        for _ in self._means:
            table.add_column(width=CELL)
        for at, norm in enumerate(NORMS):
            cells = [self._cell(norm.name, mean, at, to) for to, mean in enumerate(self._means)]
            table.add_row(Text(norm.name, style="dim"), *cells)
        return table

    def _cell(self, norm: str, mean: str, row: int, column: int) -> Text:
        name = f"{norm}/{mean}"
        if name not in self._known:
            return Text(" ·", style="dim")
        mark = "●" if name in self.marked else ("*" if name == self._chosen else " ")
        under = (row, column) == (self.row, self.column)
        remark = self._remarks.get(name, "")
        return Text(f"{mark}{mean:<7}{remark}".ljust(CELL), style="reverse bold" if under else "")


class MethodDialog(Dialog[tuple[str, ...]]):
    """Choose a method of the grid, or mark several; hands back the names."""

    TITLE_TEXT = "Method: norm target / mean split"
    KEYS_TEXT = "arrows or hjkl   enter takes it   esc leaves   * is in use"
    MARKING_TEXT = "arrows or hjkl   space marks ●   enter compares   esc leaves"
    BINDINGS = [
        Binding("up,k", "move(-1,0)", "Up", show=False, id="method.up", tooltip="One up."),
        Binding("down,j", "move(1,0)", "Down", show=False, id="method.down", tooltip="One down."),
        Binding("left,h", "move(0,-1)", "Left", show=False, id="method.left", tooltip="One left."),
        Binding("right,l", "move(0,1)", "Right", show=False, id="method.right",
                tooltip="One right."),
        Binding("space", "mark", "Mark", show=False, id="method.mark",
                tooltip="Mark it, to be compared."),
        Binding("enter,m", "take", "Take", show=False, id="method.take", tooltip="Use it."),
    ]  # fmt: skip

    def __init__(
        self,
        method: str,
        remarks: Mapping[str, str],
        marked: Sequence[str] = (),
        most: int = 0,
    ) -> None:
        """Begin on a method.

        Args:
            remarks: by method, a sign of what it does at the present weights (may be empty).
            marked: methods to begin with where several are wanted.
            most: how many may be marked; 0 chooses one.
        """
        super().__init__()
        self._most = most
        if most:
            self.TITLE_TEXT = f"Compare up to {most} methods: norm target / mean split"
            self.KEYS_TEXT = self.MARKING_TEXT
        self._grid = MethodGrid(method, remarks, marked)
        self._remarks = remarks

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
        is_full = len(self._grid.marked) >= self._most
        if not self._most or (is_full and self._grid.method not in self._grid.marked):
            self.app.bell()
        else:
            self._grid.toggle_mark()

    def action_take(self) -> None:
        if not self._most:
            self.dismiss((self._grid.method,))
        elif self._grid.marked:
            self.dismiss(tuple(self._grid.marked))
        else:
            self.app.bell()

    def _describe(self) -> None:
        method = parse_method(self._grid.method)
        text = Text()
        text.append(f"{method.name}  ", style="bold")
        text.append(f"{method.sentence}\n")
        text.append(method.formula)
        if self._remarks:
            legend = "! would damage the picture at these weights, ✓ would not"
            if "×" in self._remarks.values():
                legend = "! would damage the picture, ✓ not, × finds no direction"
            text.append(f"\n{legend}", style="dim")
        self.query_one("#method-words", Static).update(text)
