"""The statistics panel: the verdict in words, a bar for each channel, and the chart of the bias."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from latmix.mixing.gram import Gram
from latmix.mixing.grid import DEFAULT_METHOD
from latmix.mixing.splits import LARGEST_CUTOFF
from latmix.mixing.statistics import Statistics, mixture_statistics
from latmix.mixing.verdict import SOUND
from latmix.report import mean_bar
from latmix.tui.dialogs.reading import NumbersDialog
from latmix.tui.numbers.bias_chart import LINES, bias_chart
from latmix.tui.numbers.statistics_panel import panel_text
from tests.support.driver import Driver, opened

SIZES = [(36, 7), (38, 7), (38, 14), (58, 14), (90, 14), (28, 7)]


def statistics(method: str, bias: float, count: int = 16, channels: int = 4) -> Statistics:
    """Of equal weights on noise with a bias in channel 1."""
    torch.manual_seed(0)
    latents = torch.randn(count, channels, 16, 16)
    latents[:, 1] += bias - latents[:, 1].mean()
    weights = torch.full((count,), 1 / count, dtype=torch.float64)
    return mixture_statistics(Gram.of(latents, LARGEST_CUTOFF), weights, method)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [4, 16])
@pytest.mark.parametrize("bias", [0.0, 0.08, 0.9])
def test_the_panel_fits_and_begins_with_the_verdict(
    size: tuple[int, int], channels: int, bias: float
) -> None:
    found = statistics("fix/0", bias, channels=channels)
    lines = panel_text(found, *size).plain.split("\n")
    assert len(lines) <= size[1]
    shown = [any(line.startswith(f"{at:>2} ") for line in lines) for at in range(channels)]
    assert all(shown) != lines[-1].endswith("V: all")
    assert max(map(len, lines)) <= size[0]
    said = " ".join(lines)
    for word in (found.warning or SOUND).split():
        assert word in said


def test_a_high_panel_has_every_channel_and_the_chart_and_a_low_one_the_worst() -> None:
    found = statistics("fix/0", 0.08, channels=16)
    low, high = (panel_text(found, 38, height).plain for height in (7, 30))
    assert [f"{channel:>2} " in high for channel in range(16)] == [True] * 16
    assert "bias by √N" in high
    assert "bias by √N" not in low
    assert f" 1 {found.channel_mean[1]:+.3f}" in low
    assert "15 others" in low


def test_a_bar_is_marked_at_the_thresholds_and_signed_by_its_verdict() -> None:
    assert mean_bar(0.0, 0.0) == "  ┊   ┊   │   ┊   ┊  "
    assert mean_bar(0.15, 0.1) == "  ┊   ┊   │███┊   ┊  "
    assert mean_bar(-0.25, 0.0) == "  ┊  █████│   ┊   ┊   !"
    assert mean_bar(2.0, 0.0, cells=5) == " ┊ ┊ │█████ !!"
    assert mean_bar(0.45, 0.45) == "  ┊   ┊   │█████████ "


def place(lines: list[str], sign: str) -> tuple[int, int]:
    """Row from the axis, and column."""
    [(row, line)] = [(r, line) for r, line in enumerate(reversed(lines)) if sign in line]
    return row, line.index(sign)


def test_the_chart_marks_this_mixture_and_the_law_passes_through_one_that_follows_it() -> None:
    amplified, remedied = statistics("fix/0", 0.08), statistics("nin/chm", 0.08)
    columns = 33
    lines = bias_chart(amplified, columns)[1:]
    assert len(lines) == LINES - 1
    row, column = place(lines, "●")
    assert row == round(10 * max(map(abs, amplified.channel_mean)))
    assert column - 3 == pytest.approx((math.sqrt(16) - 1) / 7 * 29, abs=1)
    around = lines[-1 - row][column - 2 : column + 3]
    assert "·" in around
    below = place(bias_chart(remedied, columns)[1:], "●")
    assert below == (1, column)
    assert "▲" in "".join(bias_chart(statistics("fix/0", 0.9), columns))


async def channels_are_shown(driver: Driver) -> None:
    found = driver.session.latents.statistics()
    assert found is not None
    for mean in found.channel_mean:
        await driver.until_shown(f"{mean:+.3f} in ")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_verdict_bars_and_chart_follow_the_method(
    folder: Path, size: tuple[int, int]
) -> None:
    async with opened(folder, size, count=4) as driver:
        await driver.press("V")
        assert "No numbers yet" in driver.said
        await driver.press("i")
        await driver.until(lambda: driver.session.is_measured)
        await driver.until_shown(SOUND, "amplification", "│")
        await channels_are_shown(driver)
        await driver.press("V")
        await driver.until(lambda: isinstance(driver.app.screen, NumbersDialog))
        await driver.until_shown("Numbers of the mixture", DEFAULT_METHOD, "low frequencies")
        await driver.press("end")
        await driver.until_shown("influence", "face-3.png", "drives the mixture")
        await driver.press("V")
        assert ("bias by √N" in driver.text) == (size == (120, 40))
        driver.session.choose(method="lin/0")
        driver.app.changed()
        found = driver.session.latents.statistics()
        assert found is not None
        words = (found.warning or SOUND).split()
        await driver.until_shown(*words)
        assert driver.session.latents.influences().keys() == set(driver.session.mixture.keys)
