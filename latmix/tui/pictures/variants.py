"""Drafts side by side: each a picture with its name and its key numbers; enter takes one."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Grid, Vertical
from textual.widgets import Static

from latmix.jobs.screen.variants import Variant, Variants, Wanted
from latmix.tui.keys.binding import key
from latmix.tui.keys.keys_line import KeysLine
from latmix.tui.line import Line
from latmix.tui.pictures.thumbnail import Thumbnail
from latmix.tui.terminal.opening import TOO_SMALL, Opening
from latmix.tui.work.job_line import JobLine

MOST = 6
"""Methods side by side: on 80 columns their pictures are still to be told apart."""

WITH_NAMES = 21
"""Columns of a draft that has room for the names of both numbers."""

WIDEST = 4
"""Pictures beside one another."""


class VariantCell(Vertical):
    """One draft; to be drawn again when what it shows is another, or is under the cursor."""

    variant: Variant | None = None
    is_current = False

    def __init__(self, name: str, is_used: bool) -> None:
        super().__init__(name=name, classes="variant")
        self._is_used = is_used

    def compose(self) -> ComposeResult:
        yield Static(classes="variant-name", markup=False)
        yield Thumbnail()
        yield Static(classes="variant-numbers", markup=False)

    def on_mount(self) -> None:
        self.draw()

    def on_resize(self) -> None:
        self.draw()

    def draw(self) -> None:
        if not self.is_mounted:
            return
        style = "reverse bold" if self.is_current else "bold"
        name = Text(f"{'>' if self.is_current else ' '}{self.name} ", style=style)
        name.append("*" if self._is_used else "")
        self.query_one(".variant-name", Static).update(name)
        one = self.variant
        words = one.fault if one else ""
        self.query_one(Thumbnail).show(one.picture if one else None, Text(words or "…"))
        self.query_one(".variant-numbers", Static).update(Text(numbers(one, self.size.width)))


def numbers(variant: Variant | None, width: int) -> str:
    """The norm against a typical one, how much shared bias is amplified, and the verdict."""
    if variant is None or variant.statistics is None:
        return ""
    statistics = variant.statistics
    sign = "!" if statistics.warning else "✓"
    name = "norm " if width >= WITH_NAMES else ""
    return f"{sign} {name}{statistics.norm_ratio:.2f}  amp {statistics.amplification:.2f}"


class VariantsScreen(Opening[Wanted]):
    """The drafts; hands back the one that is taken."""

    HELP = (
        "Drafts side by side: a few steps each, none of them kept. Under each are its norm against "
        "a typical one and how much it amplifies what the pictures share; ! would damage the "
        "picture, ✓ would not."
    )

    BINDINGS = [
        key("variants.leave", "escape,ctrl+c,q,c,S", "dismiss", "Leave",
            "Close without a change; what is being made is stopped."),
        key("variants.left", "left,h", "move(-1)", "Left", "One left."),
        key("variants.right", "right,l", "move(1)", "Right", "One right."),
        key("variants.up", "up,k", "move_row(-1)", "Up", "One up."),
        key("variants.down", "down,j", "move_row(1)", "Down", "One down."),
        key("variants.take", "enter", "take", "Take", "Take the one under the cursor."),
        key("variants.choose", "m", "choose", "Other methods",
            "Choose the methods that are compared."),
        key("variants.help", "question_mark,f1", "app.command('program.help')", "Help",
            "All keys."),
    ]  # fmt: skip

    def __init__(
        self,
        wanted: tuple[Wanted, ...],
        title: str,
        in_use: int | None,
        choose: Callable[[], None] | None = None,
    ) -> None:
        """in_use: the one that is the mixture as it is; choose: asks for others, where it can."""
        super().__init__()
        self.wanted, self.cursor = wanted, in_use or 0
        self._title, self._choose = title, choose
        self.variants: Variants | None = None
        self._cells = [VariantCell(one.name, at == in_use) for at, one in enumerate(wanted)]

    @property
    def columns(self) -> int:
        count = len(self.wanted)
        rows = -(-count // WIDEST)
        return -(-count // rows)

    def compose(self) -> ComposeResult:
        yield Static(Text(self._title, no_wrap=True, overflow="ellipsis"), id="title")
        with Grid(id="variants") as grid:
            grid.styles.grid_size_columns = self.columns
            grid.styles.grid_size_rows = -(-len(self.wanted) // self.columns)
            yield from self._cells
        yield Line(id="variant-words")
        yield JobLine()
        keys = "arrows   enter takes it   "
        keys += "m others   " if self._choose else ""
        yield KeysLine(f"{keys}esc leaves   * in use", "variant-keys")
        yield Static(TOO_SMALL, id="too-small", markup=False)

    def on_mount(self) -> None:
        self._put(self.cursor)

    def take(self, variants: Variants) -> None:
        """The drafts, made."""
        self.variants = variants
        for cell, variant in zip(self._cells, variants.variants, strict=True):
            cell.variant = variant
        self.query_one(JobLine).say(f"made in {variants.seconds:.1f} s")
        self._put(self.cursor)

    def action_move(self, by: int) -> None:
        self._put((self.cursor + by) % len(self.wanted))

    def action_move_row(self, by: int) -> None:
        at = self.cursor + by * self.columns
        if 0 <= at < len(self.wanted):
            self._put(at)

    def on_click(self, event: events.Click) -> None:
        for at, cell in enumerate(self._cells):
            if cell.region.contains(event.screen_x, event.screen_y):
                self.action_take() if at == self.cursor else self._put(at)

    def action_take(self) -> None:
        self.dismiss(self.wanted[self.cursor])

    def action_choose(self) -> None:
        if self._choose is not None:
            self._choose()

    def _put(self, at: int) -> None:
        self.cursor = at
        for index, cell in enumerate(self._cells):
            cell.is_current = index == at
            self.call_later(cell.draw)  # each in a turn of its own
        words = ""
        if self.variants is not None:
            variant = self.variants.variants[at]
            warning = variant.statistics.warning if variant.statistics else ""
            words = warning or variant.fault or "No degeneracy in sight."
        self.query_one("#variant-words", Line).show_line(words)
