"""L&K figure 2, drawn: paths in the plane, still and moving. For `figures.write_figure`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from latmix.study.figures import COLUMN, DOTS, add_letters, method_look, new_figure, styled
from latmix.study.paths import RADIUS, Leg, MethodPaths, Place, Sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL import Image

LEAP = 0.5
"""Distance of two neighbouring samples between which no line is drawn."""


def draw_paths(all_paths: Sequence[MethodPaths], points: Sequence[Place]) -> Figure:
    """L&K figure 2: the paths in the plane over norm rings, and their norm against the weight.

    A marker is set at every tenth of the weight; the ring sqrt(2) is the norm of a typical sample.
    """
    figure, plane, profile = _paths_figure(all_paths, points)
    for index, paths in enumerate(all_paths):
        look = method_look(paths.method)
        label: str | None = paths.method
        start = index / len(all_paths) * 0.1
        style = look.line | {"markersize": 3.2}
        for number, leg in enumerate(paths.legs):
            for piece in pieces(leg):
                marks = _tenths(piece, start)
                style["markevery"] = marks
                plane.plot(*zip(*(s.place for s in piece), strict=True), label=label, **style)
                at = [number + sample.weight for sample in piece]
                profile.plot(at, [sample.norm for sample in piece], **style)
                label = None
    _mark_points(plane, points)
    handles, labels = plane.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(6, len(labels)))
    return figure


@styled()
def animate_paths(
    all_paths: Sequence[MethodPaths], points: Sequence[Place], frames: int
) -> list[Image.Image]:
    """The same with a marker a method that goes along its path, there and back: RGB frames."""
    from PIL import Image

    figure = draw_paths(all_paths, points)
    canvas: Any = figure.canvas
    plane, profile = figure.axes
    movers = []
    for paths in all_paths:
        look = method_look(paths.method)
        style = look.line | {"linestyle": "", "markersize": 6.5, "zorder": 5}
        style |= {"markeredgecolor": "black", "markeredgewidth": 0.6}
        movers.append([axis.plot([], [], **style)[0] for axis in (plane, profile)])
    figure.set_dpi(DOTS * 0.6)
    canvas.draw()
    figure.set_layout_engine("none")
    shown = []
    for frame in range(frames):
        at = frame / max(1, frames - 1) * (len(points) - 1)
        for paths, (in_plane, in_profile) in zip(all_paths, movers, strict=True):
            number = min(int(at), len(paths.legs) - 1)
            leg = paths.legs[number]
            sample = min(leg, key=lambda s: abs(s.weight - (at - number)))
            in_plane.set_data([sample.place[0]], [sample.place[1]])
            in_profile.set_data([number + sample.weight], [sample.norm])
        canvas.draw()
        width, height = canvas.get_width_height()
        buffer = bytes(canvas.buffer_rgba())
        shown.append(Image.frombytes("RGBA", (width, height), buffer).convert("RGB"))
    return shown + shown[-2:0:-1]


def _paths_figure(
    all_paths: Sequence[MethodPaths], points: Sequence[Place]
) -> tuple[Figure, Axes, Axes]:
    """The plane with its rings on the left, the norm against the weight on the right."""
    places = [s.place for paths in all_paths for leg in paths.legs for s in leg]
    xs, ys = zip((0.0, 0.0), *points, *places, strict=True)
    left, right, low, high = min(xs) - 0.3, max(xs) + 0.3, min(ys) - 0.3, max(ys) + 0.3
    tall = 2.75 * (high - low) / (right - left)
    figure = new_figure(2 * COLUMN, min(4.0, max(2.2, tall)) + 0.75)
    plane, profile = figure.subplots(1, 2)
    _ring(plane, RADIUS, color="black", linewidth=0.9)
    for place in points:
        _ring(plane, math.hypot(*place), color="#777777", linewidth=0.5, linestyle=(0, (1, 2)))
    plane.plot([0], [0], marker="+", color="black", linestyle="")
    plane.set(xlim=(left, right), ylim=(low, high), aspect="equal")
    plane.set(xlabel="element 1", ylabel="element 2")
    profile.axhline(RADIUS, color="black", linewidth=0.9, label=r"$\sqrt{L} = \sqrt{2}$")
    legs = len(points) - 1
    profile.set(xlim=(-0.02 * legs, 1.02 * legs))
    profile.set_ylim(0, 1.08 * max(RADIUS, *(norm for paths in all_paths for norm in paths.norms)))
    profile.set(ylabel=r"norm $|z'|$")
    if legs == 1:
        profile.set_xlabel("weight of point 2")
    else:
        profile.set_xticks(range(legs + 1), [f"{number + 1}" for number in range(legs + 1)])
        profile.set_xlabel("from point to point")
    profile.legend(loc="lower right")
    add_letters((plane, profile))
    return figure, plane, profile


def _ring(axis: Axes, radius: float, **style: Any) -> None:
    angles = [index * math.tau / 180 for index in range(181)]
    at = [[radius * part(angle) for angle in angles] for part in (math.cos, math.sin)]
    axis.plot(*at, zorder=0, **style)


def _mark_points(axis: Axes, points: Sequence[Place]) -> None:
    """The points themselves, numbered on the side away from the origin."""
    for number, (x, y) in enumerate(points, start=1):
        axis.plot([x], [y], marker="o", color="black", markersize=5, linestyle="", zorder=4)
        away = 8 / math.hypot(x, y)
        place: dict[str, Any] = {"xytext": (x * away, y * away), "textcoords": "offset points"}
        axis.annotate(str(number), (x, y), ha="center", va="center", **place)


def pieces(leg: Leg) -> list[list[Sample]]:
    """The samples without the leaps between them: some methods are not continuous."""
    found: list[list[Sample]] = []
    for sample in leg:
        if not found or math.dist(found[-1][-1].place, sample.place) > LEAP:
            found.append([])
        found[-1].append(sample)
    return found


def _tenths(samples: Sequence[Sample], start: float) -> list[int]:
    """The samples at every tenth of the weight, from `start` on; one at least."""
    wanted = [start + index / 10 for index in range(10)]
    weights = [sample.weight for sample in samples]
    inside = [want for want in wanted if weights[0] <= want <= weights[-1]] or weights[:1]
    gaps = [[abs(weight - want) for weight in weights] for want in inside]
    return sorted({gap.index(min(gap)) for gap in gaps})
