"""The mixture's numbers, live, with the warning that says whether the picture will be any good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.widgets import Static

from latmix.names import plural
from latmix.report import channel_table, statistics_table

if TYPE_CHECKING:
    from latmix.mixing.statistics import Statistics

SOUND = "✓ No degeneracy in sight at these weights."


class StatisticsPanel(Static):
    """Statistics where there are any, else what to press for them."""

    def __init__(self) -> None:
        super().__init__(id="statistics")
        self._statistics: Statistics | None = None
        self._method = ""
        self._advice = ""

    def show(self, statistics: Statistics | None, method: str, advice: str) -> None:
        """Show a mixture's numbers, or `advice` where they are not known."""
        self._statistics, self._method, self._advice = statistics, method, advice
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self._statistics is None:
            self.update(Text(self._advice), layout=False)
        else:
            tall = self.size.height >= 9 + len(self._statistics.channel_mean)
            parts = full_view if tall else short_view
            view = parts(self._statistics, self._method)
            self.update(Group(verdict(self._statistics), *view), layout=False)


def verdict(statistics: Statistics) -> Text:
    """The warning, or that there is none."""
    if statistics.warning:
        return Text(f"! {statistics.warning}", style="bold")
    return Text(SOUND)


def full_view(statistics: Statistics, method: str) -> Sequence[RenderableType]:
    """Both tables."""
    return _clipped(statistics_table(statistics, method)), _clipped(channel_table(statistics))


def short_view(statistics: Statistics, method: str) -> Sequence[RenderableType]:
    """The numbers in four lines, for low terminals."""
    s = statistics
    return (
        Text(f"norm {s.norm_ratio:.3f} √L     amplification {s.amplification:.3f}"),
        Text(f"coherence {s.coherence:.3f}   effective N {s.effective_count:.2f}"),
        _line("means ", statistics.channel_mean),
        _line("inputs", statistics.input_channel_mean),
    )


def advice_for(uninverted: int, mixed: int, model_note: str) -> str:
    """What to do when there are no statistics."""
    if not mixed:
        return "No pictures in the mixture: space takes one in, f opens another folder."
    what = "is not inverted yet" if uninverted == 1 else "are not inverted yet"
    lines = [f"{plural(uninverted, 'picture')} {what}: press i, or g to make the picture as well."]
    return "\n".join([*lines, model_note] if model_note else lines)


def _line(name: str, values: Sequence[float]) -> Text:
    text = Text(f"{name} " + " ".join(f"{value:+.2f}" for value in values))
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _clipped(table: Table) -> Table:
    """Explanations give way before numbers do where it is narrow."""
    for column in table.columns:
        column.no_wrap, column.overflow = True, "ellipsis"
    return table
