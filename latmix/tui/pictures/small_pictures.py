"""Pictures of a few pixels, read when they come into sight, drawn once and kept for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from PIL import Image
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from latmix.jobs.engine import Engine, Job
from latmix.jobs.screen.pictures import read_small
from latmix.tui.pictures.thumbnail import half_blocks, shades

KEPT = 512
"""Small pictures that are kept, of a few kilobytes each: many screens of them."""


class SmallPictures:
    """Of a widget that shows many.

    Attributes:
        read: those that were; None for one that cannot be read.
    """

    def __init__(
        self, widget: Widget, engine: Engine, side: int, came: Callable[[], object]
    ) -> None:
        """side: in pixels; came: is called when one was read."""
        self.read: dict[Path, Image.Image | None] = {}
        self._widget, self._engine, self._side, self._came = widget, engine, side, came
        self._jobs: dict[Path, Job[Image.Image | None]] = {}
        self._drawn: dict[Path, tuple[int, int, list[Strip]]] = {}

    def want(self, paths: Iterable[Path]) -> None:
        """Read these, in their order; what was wanted before and is not among them is left."""
        wanted = {path: None for path in paths if path not in self.read}
        for path in [path for path in self._jobs if path not in wanted]:
            self._jobs.pop(path).drop()
        for path in wanted:
            if path not in self._jobs:
                read, take = partial(read_small, path, self._side), partial(self._take, path)
                self._jobs[path] = self._engine.submit(Job("tile", read, take))

    def _take(self, path: Path, image: Image.Image | None) -> None:
        self._jobs.pop(path, None)
        self.read[path] = image
        if len(self.read) > KEPT:
            oldest = next(iter(self.read))
            del self.read[oldest]
            self._drawn.pop(oldest, None)
        self._came()

    def drawn(self, path: Path, columns: int, rows: int, base: Style) -> list[Strip] | None:
        """The picture in `rows` strips of `columns` cells; None where there is none."""
        image = self.read.get(path)
        if image is None:
            return None
        kept = self._drawn.get(path)
        if kept is None or kept[:2] != (columns, rows):
            draw = shades if self._widget.app.no_color else half_blocks
            kept = self._drawn[path] = columns, rows, draw(image, columns, rows, base)
        return kept[2]

    def forget_drawn(self) -> None:
        """The colours have changed."""
        self._drawn.clear()
