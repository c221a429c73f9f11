"""Captures of the screen as text with its styles, and latents that hang on no model's weights.

Captures are kept in `states/`; `LATMIX_STATES=write` makes them anew. Pictures are shown by their
place alone: all their cells are the same character. Bold, reverse and the like follow the text, by
row: `3: 0+20 bold` is 20 cells from the left edge of row 3. Colours are a theme's own (dim is one
of them where a theme has any), and are checked by law.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from statistics import NormalDist

from rich.cells import cell_len
from rich.color import ColorType
from rich.segment import Segment
from textual.color import Color
from textual.widget import Widget

from latmix.config import load_config
from latmix.images.files import content_hash
from latmix.session.machine import Machine
from latmix.store.latents import LatentStore, row_key
from tests.support.driver import QUICK, Driver

STATES = Path(__file__).parents[1] / "tui" / "states"
ATTRIBUTES = ("bold", "italic", "underline", "reverse", "strike")
PICTURE = re.compile("^[▀ ]+$")
PRIMES = (2, 3, 5, 7, 11, 13)


def masked(text: str) -> str:
    """Without what another run has otherwise: how long something took."""
    return re.sub(r"in [0-9.]+ s\b", "in … s", text)


def cropped(driver: Driver, widget: Widget) -> str:
    """What is painted where a widget is."""
    region = widget.region
    rows = driver.lines[region.y : region.bottom]
    return masked("\n".join(row[region.x : region.right].rstrip() for row in rows)) + "\n"


def whole(driver: Driver) -> str:
    """The screen: its lines, then how they are written."""
    text = masked("\n".join(line.rstrip() for line in driver.lines))
    return "\n".join([text, "", *styles(driver)]) + "\n"


def segments(driver: Driver) -> list[list[Segment]]:
    """What is painted, by row."""
    return [list(strip) for strip in driver.app.screen._compositor.render_strips()]


def styles(driver: Driver) -> Iterator[str]:
    """The rows that have anything bold, reverse, ..., with where."""
    for y, row in enumerate(segments(driver)):
        cells = [words for segment in row for words in [_words(segment)] * cell_len(segment.text)]
        runs, x = [], 0
        for words, group in groupby(cells):
            length = len(list(group))
            runs += [f"{x}+{length} {words}"] if words else []
            x += length
        if runs:
            yield f"{y}: {', '.join(runs)}"


def _words(segment: Segment) -> str:
    style = segment.style
    return " ".join(a for a in ATTRIBUTES if style is not None and getattr(style, a))


def assert_state(shown: str, driver: Driver, name: str) -> None:
    """It is what was captured at this size of the screen."""
    width, height = driver.app.size
    file = STATES / f"{name}-{width}x{height}.txt"
    if os.environ.get("LATMIX_STATES") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(shown, encoding="utf-8")
    kept = file.read_text(encoding="utf-8")
    theme = driver.app.theme
    changes = difflib.unified_diff(kept.splitlines(), shown.splitlines(), file.name, theme)
    assert shown == kept, "\n".join(changes)


def assert_readable(driver: Driver, least: float) -> None:
    """Every text stands out from what is behind it, by the contrast of WCAG 2.2."""
    for y, row in enumerate(segments(driver)):
        for text, style, _ in row:
            if style is None or not text.strip() or PICTURE.match(text) or style.dim:
                continue
            if not any(character.isalnum() for character in text):
                continue
            ink, behind = style.color, style.bgcolor
            assert ink is not None and behind is not None, (y, text)
            colours = [Color(*each.get_truecolor()) for each in (ink, behind)]
            assert contrast(*colours) >= least, (y, text, contrast(*colours))


def assert_in_own_colours(driver: Driver) -> None:
    """Nothing but pictures has a colour that the terminal did not choose itself."""
    for y, row in enumerate(segments(driver)):
        for text, style, _ in row:
            if style is not None and not PICTURE.match(text):
                for colour in (style.color, style.bgcolor):
                    assert colour is None or colour.type is not ColorType.TRUECOLOR, (y, text)


def luminance(colour: Color) -> float:
    """WCAG 2.2: relative luminance of sRGB."""
    shares = [value / 255 for value in colour.rgb]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    """WCAG 2.2: from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def plant_latents(pictures: list[Path], prompt: str) -> None:
    """Latents of the closed form in `noise`, as if the built-in model had inverted the pictures."""
    import torch

    from latmix.jobs.workbench import Workbench
    from latmix.models.source import find_model
    from latmix.sampling.settings import InversionSettings

    bench = Workbench(find_model("mini"), LatentStore(load_config().home), Machine("cpu"))
    settings = InversionSettings(QUICK["size"], "crop", QUICK["steps"], 1.0, QUICK["solver"], "")
    with bench.space(settings) as space:
        shape = bench.source.latent_shape(settings.size)
        for at, picture in enumerate(pictures):
            latent = torch.tensor(noise(math.prod(shape), PRIMES[at])).reshape(shape)
            latent[1] += 0.3
            space.add(row_key(content_hash(picture), prompt), latent.float())


def noise(count: int, prime: int) -> list[float]:
    """Normal quantiles of the multiples of sqrt(prime) modulo 1, which are uniform (Weyl 1916)."""
    normal = NormalDist()
    return [normal.inv_cdf((at + 0.5) * math.sqrt(prime) % 1) for at in range(count)]
