"""Paths in the plane: closed forms of each method between two points, and moving pictures."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from latmix.study.animations import write_animation
from latmix.study.figures import figure_bytes
from latmix.study.paths import POINTS, RADIUS, flat_methods, mixes_points, trace_paths
from latmix.study.paths_figure import animate_paths, draw_paths, pieces

ends = st.tuples(
    st.floats(0.3, 3.0), st.floats(0.0, math.pi / 2), st.floats(0.3, 3.0), st.floats(0.1, 2.9)
)


@given(ends)
@settings(max_examples=30, deadline=None)
def test_the_norm_along_a_path_is_the_methods(given_ends: tuple[float, ...]) -> None:
    first, angle, second, between = given_ends
    points = [
        (first * math.cos(angle), first * math.sin(angle)),
        (second * math.cos(angle + between), second * math.sin(angle + between)),
    ]
    for method in ("lin/0", "fix/0", "nin/0"):
        [leg] = trace_paths(points, method, 8).legs
        for sample in leg:
            w = sample.weight
            straight = [(1 - w) * a + w * b for a, b in zip(*points, strict=True)]
            wanted = {
                "lin/0": math.hypot(*straight),
                "fix/0": RADIUS,
                "nin/0": (1 - w) * first + w * second,
            }[method]
            assert sample.norm == pytest.approx(wanted)
            assert math.atan2(*sample.place) == pytest.approx(math.atan2(*straight), abs=1e-6)


def test_the_methods_of_the_plane_are_those_that_split_nothing_off() -> None:
    names = flat_methods()
    assert {"lin/0", "fix/0", "nin/0", "coh/0", "lol/0"} <= set(names)
    assert all(name.endswith("/0") for name in names)
    assert mixes_points("nin/m")
    assert not mixes_points("nin/chm")
    assert not mixes_points("nin/lp:2")


def test_points_that_cancel_leave_a_gap() -> None:
    paths = trace_paths([(1.0, 0.0), (-1.0, 0.0)], "fix/0", 4)
    assert [sample.weight for sample in paths.legs[0]] == [0, 0.25, 0.75, 1]
    assert paths.centroid is None
    assert trace_paths([(1.0, 0.0), (-1.0, 0.0)], "lin/0", 4).centroid == (0.0, 0.0)


def test_no_line_is_drawn_over_a_leap() -> None:
    opposite = trace_paths([(1.0, 0.0), (-1.0, 0.0)], "fix/0", 10).legs[0]
    assert [len(piece) for piece in pieces(opposite)] == [5, 5]
    assert len(pieces(trace_paths(POINTS, "nin/0", 50).legs[0])) == 1


def test_every_leg_joins_its_points_where_the_method_is_exact_at_inputs() -> None:
    points = [(1.0, 0.5), (-0.5, 1.0), (-1.5, -0.2)]
    for method in flat_methods():
        if method.startswith(("fix", "nao")):
            continue
        legs = trace_paths(points, method, 5).legs
        for leg, start, end in zip(legs, points, points[1:], strict=False):
            assert leg[0].place == pytest.approx(start)
            assert leg[-1].place == pytest.approx(end)


@pytest.mark.parametrize(
    ("points", "method", "said"),
    [
        ([(1.0, 0.0)], "nin/0", "two or more"),
        ([(1.0, 0.0), (0.0, 0.0)], "nin/0", "origin"),
        ([(1.0, 0.0), (0.0, 1.0)], "nin/chm", "plane"),
    ],
)
def test_what_is_no_path_is_refused(
    points: list[tuple[float, float]], method: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        trace_paths(points, method, 5)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_moves_there_and_back(tmp_path: Path, suffix: str) -> None:
    paths = [trace_paths(POINTS, name, 20) for name in ("lin/0", "nin/0")]
    frames = animate_paths(paths, POINTS, 5)
    assert len(frames) == 8
    target = tmp_path / f"paths{suffix}"
    write_animation(frames, target)
    first = target.read_bytes()
    shown = [f.convert("RGB") for f in ImageSequence.Iterator(Image.open(target))]
    assert len(shown) == 8
    assert shown[0].tobytes() != shown[4].tobytes()
    assert shown[1].tobytes() == shown[7].tobytes()
    write_animation(frames, target)
    assert target.read_bytes() == first


def test_the_figure_of_paths_is_the_same_twice() -> None:
    paths = [trace_paths(POINTS, name, 20) for name in flat_methods()]
    one, two = (figure_bytes(lambda: draw_paths(paths, POINTS), ".pdf") for _ in range(2))
    assert one == two
    assert b"/FontFile2" in one
