"""The mixture's numbers, live, with the verdict that says whether the picture will be any good.

What there is room for is shown: the verdict and the key figures always, then a bar for each channel
(those that moved most, where not all fit), then the chart of the bias. Where something is left out,
the last line says which key shows it.
"""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from latmix.mixing.verdict import SOUND
from latmix.names import plural
from latmix.report import mean_bar
from latmix.tui.numbers.bias_chart import LINES, NARROWEST, bias_chart

if TYPE_CHECKING:
    from latmix.mixing.statistics import Statistics

MORE = "V: all"
NARROW = 36
"""Cells below which figures have short names, and channels two decimals."""

FIGURES_WIDTH = 32
WIDE = 56
"""Cells from which the chart stands beside the figures, and the channels' rows are long."""


class StatisticsPanel(Static):
    """Statistics where there are any, else what to press for them."""

    def __init__(self) -> None:
        super().__init__(id="statistics")
        self.tooltip = "What the mixture's numbers say, before a picture is made."
        self.statistics: Statistics | None = None
        self._advice = ""

    def show(self, statistics: Statistics | None, advice: str = "") -> None:
        """Show a mixture's numbers, or `advice` where they are not known."""
        self.statistics, self._advice = statistics, advice
        self.refresh()

    def show_fault(self, error: Exception) -> None:
        """There are none, and why."""
        self.show(None, f"! {error}")

    def render(self) -> Text:
        if self.statistics is None:
            return Text(self._advice)
        return panel_text(self.statistics, *self.size)


def panel_text(statistics: Statistics, width: int, height: int) -> Text:
    """The panel in `height` lines of `width` cells at most."""
    lines = verdict_lines(statistics, width)
    count = len(lines)
    channels = len(statistics.channel_mean)
    if width >= WIDE and height - count >= LINES + min(2, channels):
        figures = full_figures(statistics)
        chart = bias_chart(statistics, width - FIGURES_WIDTH)
        lines += [
            left.ljust(FIGURES_WIDTH) + right
            for left, right in zip_longest(figures, chart, fillvalue="")
        ]
    else:
        lines += short_figures(statistics, width)
    lines += channel_lines(statistics, width, max(1, height - len(lines)))
    if width < WIDE and width >= NARROWEST and height - len(lines) >= LINES:
        lines += bias_chart(statistics, width)
    if len(lines) > height:
        lines = [*lines[: height - 1], lines[-1]]
    text = Text("\n".join(line[:width] for line in lines[:height]), no_wrap=True)
    text.stylize("bold" if statistics.warning else "", 0, len("\n".join(lines[:count])))
    return text


def verdict_lines(statistics: Statistics, width: int) -> list[str]:
    """The verdict in words."""
    text = f"! {statistics.warning}" if statistics.warning else f"✓ {SOUND}"
    return textwrap.wrap(text, max(1, width))


def full_figures(statistics: Statistics) -> list[str]:
    """The key figures, one a line: as many as the chart beside them has."""
    s = statistics
    low = "-" if s.low_share is None else f"{s.low_share:.3f}"
    return [
        f"norm            {s.norm_ratio:.3f} √L",
        f"amplification   {s.amplification:.3f}",
        f"  predicted     {s.predicted_amplification:.3f}",
        f"coherence       {s.coherence:.3f}",
        f"effective N     {s.effective_count:.2f}",
        f"low frequencies {low}",
    ]


def short_figures(statistics: Statistics, width: int) -> list[str]:
    """The same in two lines."""
    s, is_narrow = statistics, width < NARROW
    amplification, count = ("amp", "N") if is_narrow else ("amplification", "effective N")
    return [
        f"norm {s.norm_ratio:.3f} √L  {amplification} {s.amplification:.3f}",
        f"coherence {s.coherence:.3f}  {count} {s.effective_count:.2f}",
    ]


def channel_lines(statistics: Statistics, width: int, height: int) -> list[str]:
    """A line for each channel; where there are too many, those that moved most, and a last one.

    At least one line, which may be that last one.
    """
    pairs = zip(statistics.channel_mean, statistics.input_channel_mean, strict=True)
    moved = [abs(mean - own) for mean, own in pairs]
    order = sorted(range(len(moved)), key=lambda channel: -moved[channel])
    fitting = height if len(order) <= height else height - 1
    shown, others = order[:fitting], order[fitting:]
    lines = [channel_line(statistics, channel, width) for channel in sorted(shown)]
    if others:
        head = plural(len(others), "other" if shown else "channel")
        most = f"≤ {moved[others[0]]:.2f}  {MORE}"
        long = f"{head} moved {most}"
        lines.append(long if len(long) <= width else f"{head} {most}")
    return lines


def channel_line(statistics: Statistics, channel: int, width: int) -> str:
    """The mixture's mean, the inputs' own, and the bar with its marks at 0.2 and 0.4."""
    mean, own = statistics.channel_mean[channel], statistics.input_channel_mean[channel]
    if width < NARROW:
        return f"{channel:>2} {mean:+.2f} in {own:+.2f} {mean_bar(mean, own, cells=3)}"
    head = f"{channel:>2} {mean:+.3f} in {own:+.3f} "
    if width < WIDE:
        return head + mean_bar(mean, own, cells=5)
    return f"{head} std {statistics.channel_std[channel]:.3f}  {mean_bar(mean, own)}"


def advice_for(uninverted: int, mixed: int, model_note: str, is_inverting: bool = False) -> str:
    """What to do when there are no statistics."""
    if not mixed:
        return "No pictures in the mixture: space takes one in, f opens another folder."
    if is_inverting:
        return "The mixture's numbers come once its pictures are inverted."
    what = "is not inverted yet" if uninverted == 1 else "are not inverted yet"
    lines = [f"{plural(uninverted, 'picture')} {what}: press i, or g to make the picture as well."]
    return "\n".join([*lines, model_note] if model_note else lines)
