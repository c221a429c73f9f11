"""Figures: what is in the files, that they are the same twice, and the chart without matplotlib."""

from __future__ import annotations

import pkgutil
import re
import subprocess
import sys
import zlib
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

import latmix
import latmix.study
from latmix.errors import LatmixError
from latmix.measures.intervals import Estimate
from latmix.mixing.grid import NORMS
from latmix.study.bias import BiasSeries, Point, fit_law
from latmix.study.bias_figure import draw_bias
from latmix.study.chart import Plot, draw_chart
from latmix.study.figures import SUFFIXES, figure_bytes, method_look, series_look, write_figure
from latmix.study.quality import CLASS, SHARES, VAE, Score
from latmix.study.quality_figure import draw_quality


def known_series(name: str = "a $folder$_with [marks]") -> BiasSeries:
    counts, alphas = [1, 4, 9, 16], [0.98, 1.8, 2.4, 2.7]
    points = tuple(
        Point(
            n,
            8,
            Estimate(a, a - 0.1, a + 0.1),
            Estimate(1, 1, 1),
            (Estimate(a / 10, 0.0, 0.3),) * 4,
        )
        for n, a in zip(counts, alphas, strict=True)
    )
    return BiasSeries(name, "fix/0", 16, (0.1, 0.1, 0.1, 0.1), points, fit_law(counts, alphas))


def drawn(suffix: str) -> bytes:
    return figure_bytes(lambda: draw_bias([known_series(), known_series("b")], [0, 2]), suffix)


content = cache(drawn)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_numbers_give_the_same_bytes(suffix: str) -> None:
    assert content(suffix) == drawn(suffix)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_figure_holds_no_date(suffix: str) -> None:
    assert not re.search(rb"20\d\d-\d\d-\d\d|D:20\d\d", content(suffix))


def test_a_pdf_embeds_every_font_as_truetype() -> None:
    data = content(".pdf")
    streams = re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL)
    inflated = data + b"".join(zlib.decompress(s) for s in streams if s[:1] == b"\x78")
    assert inflated.count(b"/FontFile2") == inflated.count(b"/Type /FontDescriptor") > 0
    assert b"/Type3" not in inflated


def test_an_svg_has_its_text_as_paths() -> None:
    text = content(".svg").decode()
    assert "<text" not in text
    assert text.count("<path") > 50


def test_a_png_is_wide_enough_for_two_columns() -> None:
    import io

    picture = Image.open(io.BytesIO(content(".png")))
    assert picture.size[0] > 1000
    assert len(set(picture.convert("L").tobytes())) > 20


def test_a_figure_is_drawn_the_same_whatever_the_user_has_set() -> None:
    import matplotlib

    before = content(".png")
    with matplotlib.rc_context({"lines.linewidth": 9.0, "font.size": 30.0, "pdf.fonttype": 3}):
        assert drawn(".png") == before
        assert matplotlib.rcParams["lines.linewidth"] == 9.0


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.png, \.svg, \.pdf"):
        write_figure(lambda: draw_bias([known_series()], []), tmp_path / "bias.jpg")


def test_a_figure_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LatmixError, match="no folder"):
        write_figure(lambda: draw_bias([known_series()], []), tmp_path / "none" / "bias.png")


def test_every_norm_has_a_colour_and_marker_of_its_own_and_every_split_a_line() -> None:
    looks = {name.partition("/")[0]: method_look(name) for name in latmix.methods()}
    assert set(looks) == {norm.name for norm in NORMS}
    assert len({look.colour for look in looks.values()}) == len(looks)
    assert len({look.marker for look in looks.values()}) == len(looks)
    splits = ("0", "m", "chm", "lp:2", "lp:auto")
    assert len({method_look(f"fix/{mean}").dashes for mean in splits}) == len(splits)
    assert {method_look(f"fix/{mean}").colour for mean in splits} == {looks["fix"].colour}
    assert all(method_look(name) for name in latmix.methods())


def test_every_cut_off_has_dashes_of_its_own() -> None:
    cutoffs = ("lp:0", "lp:1", "lp:1.5", "lp:2", "lp:8", "lp:auto")
    assert len({method_look(f"nin/{mean}").dashes for mean in cutoffs}) == len(cutoffs)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_methods_look_in_a_quality_figure_as_everywhere(suffix: str) -> None:
    methods = ["fix/0", "nin/chm", "nin/lp:1.5", "slerp/chm", "adain/chm", "nao/0"]
    value = Estimate(1.0, 0.5, 2.0)
    scores = [Score(m, n, each.name, value) for m in methods for n in (1, 4) for each in SHARES]
    bounds = [Score(m, 4, each.name, value) for m in (CLASS, VAE) for each in SHARES]
    figure = draw_quality(SHARES, scores, bounds)
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    for method in methods:
        look, line = method_look(method), lines[method]
        shown = (line.get_color(), line.get_marker(), line.get_fillstyle())
        assert shown == (look.colour, look.marker, look.fill)
    one, two = (
        figure_bytes(lambda: draw_quality(SHARES, scores, bounds), suffix) for _ in range(2)
    )
    assert one == two
    assert suffix != ".pdf" or b"/FontFile2" in one


def test_eight_series_differ_in_colour_and_in_marker() -> None:
    looks = [series_look(index) for index in range(8)]
    assert len({look.colour for look in looks}) == len({look.marker for look in looks}) == 8
    assert series_look(8) == looks[0]


def test_a_chart_has_axes_points_curve_and_legend() -> None:
    plot = Plot("faces", [(1, 1.0), (4, 2.0), (9, 3.0)], [(1, 1.0), (4, 1.5), (9, 3.0)])
    other = Plot("hearts", [(1, -0.5)])
    text = draw_chart([plot, other], x_label="N", y_label="alpha", x_ticks=[1, 4, 9], width=60)
    lines = text.splitlines()
    assert lines[0] == "alpha"
    assert (sum(line.count("o") for line in lines[1:-2]), text.count("·")) == (3, 1)
    assert lines[-1].strip() == "o faces   x hearts"
    assert re.fullmatch(r" +1 +4 +9 +N", lines[-2])
    assert all(len(line) <= 70 for line in lines)
    # Even in sqrt(N): 4 lies in the middle of 1 and 9.
    axis = [place for place, mark in enumerate(lines[-3]) if mark == "┴"]
    assert axis[1] - axis[0] == pytest.approx(axis[2] - axis[1], abs=1)


def test_a_chart_of_one_point_and_of_nothing_but_zero() -> None:
    for value in (0.0, 1e-9, -3e7):
        text = draw_chart([Plot("a", [(1, value)])], x_label="N", y_label="y", x_ticks=[1])
        assert sum(line.count("o") for line in text.splitlines()[1:-2]) == 1


def test_no_study_loads_matplotlib_before_a_figure_is_drawn() -> None:
    names = [info.name for info in pkgutil.iter_modules(latmix.study.__path__, "latmix.study.")]
    code = f"import sys, {', '.join(names)}; print('matplotlib' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "False", result.stderr
    assert len(names) > 8
