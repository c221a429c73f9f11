"""All of the mixture's numbers: what the panel has no room for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding

from latmix.mixing.verdict import SOUND
from latmix.report import channel_table, picture_sentence, picture_table, statistics_table
from latmix.tui.dialogs.dialog import Dialog
from latmix.tui.dialogs.sheet import Sheet
from latmix.tui.numbers.bias_chart import bias_chart

if TYPE_CHECKING:
    from latmix.mixing.influence import Inputs
    from latmix.mixing.statistics import Statistics

CHART_COLUMNS = 48

NARROW = 70
"""Columns of a terminal below which bars are half as long."""


class NumbersDialog(Dialog[None]):
    """Scrolls; any of its keys closes it."""

    TITLE_TEXT = "Numbers of the mixture"
    KEYS_TEXT = "↑ ↓ pgup pgdn scroll   esc or V closes"
    BINDINGS = [
        Binding("V,q,enter", "leave", "Close", show=False, id="numbers.leave", tooltip="Close."),
        Binding("j", "scroll(1)", "Down", show=False, id="numbers.down", tooltip="One line down."),
        Binding("k", "scroll(-1)", "Up", show=False, id="numbers.up", tooltip="One line up."),
    ]

    def __init__(
        self,
        statistics: Statistics,
        method: str,
        weights: Sequence[tuple[Path, float]] = (),
        inputs: Inputs | None = None,
    ) -> None:
        """weights: of the pictures in the order of `inputs`, where those are known."""
        super().__init__(classes="wide")
        self._statistics, self._method = statistics, method
        self._weights, self._inputs = weights, inputs

    def contents(self) -> ComposeResult:
        found = self._statistics
        parts: list[RenderableType] = [
            Text(found.warning or SOUND, style="bold"),
            statistics_table(found, self._method),
            Text(),
            channel_table(found, 10 if self.app.size.width >= NARROW else 5),
            Text(),
            Text("\n".join(bias_chart(found, CHART_COLUMNS))),
        ]
        if self._inputs is not None:
            names = [str(path) for path, _ in self._weights]
            weights = [weight for _, weight in self._weights]
            parts += [
                Text(),
                Text(picture_sentence(names, self._inputs)),
                picture_table(names, weights, self._inputs),
            ]
        yield Sheet(*parts)

    def begin(self) -> None:
        self.query_one(Sheet).focus()

    def action_scroll(self, by: int) -> None:
        self.query_one(Sheet).scroll_relative(y=by, animate=False)
