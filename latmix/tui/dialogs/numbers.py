"""All of the mixture's numbers: what the panel has no room for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from latmix.mixing.verdict import SOUND
from latmix.report import channel_table, picture_sentence, picture_table, statistics_table
from latmix.tui.dialogs.dialog import ReadingDialog
from latmix.tui.keys.binding import key, up_and_down
from latmix.tui.numbers.bias_chart import bias_chart

if TYPE_CHECKING:
    from latmix.mixing.influence import Inputs
    from latmix.mixing.statistics import Statistics

CHART_COLUMNS = 48

NARROW = 70
"""Columns of a terminal below which bars are half as long."""


class NumbersDialog(ReadingDialog):
    """Scrolls; any of its keys closes it."""

    TITLE_TEXT = "Numbers of the mixture"
    KEYS_TEXT = "↑ ↓ pgup pgdn scroll   esc or V closes"
    BINDINGS = [
        key("numbers.leave", "V,q,enter", "leave", "Close", "Close."),
        *up_and_down("numbers", "scroll", "line "),
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

    def parts(self) -> Iterable[RenderableType]:
        found = self._statistics
        yield Text(found.warning or SOUND, style="bold")
        yield statistics_table(found, self._method)
        yield Text()
        yield channel_table(found, 10 if self.app.size.width >= NARROW else 5)
        yield Text()
        yield Text("\n".join(bias_chart(found, CHART_COLUMNS)))
        if self._inputs is not None:
            names = [str(path) for path, _ in self._weights]
            weights = [weight for _, weight in self._weights]
            yield Text()
            yield Text(picture_sentence(names, self._inputs))
            yield picture_table(names, weights, self._inputs)
