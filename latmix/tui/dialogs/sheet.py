"""Something longer to read: rendered once, drawn line by line as it is scrolled.

Textual's own containers render all of it three times to open, and a table is slow to render.
"""

from __future__ import annotations

from rich.console import Group, RenderableType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class Sheet(ScrollView, can_focus=True):
    """Renderables, one below the other, as high as they are or as there is room."""

    def __init__(self, *parts: RenderableType) -> None:
        super().__init__(classes="sheet")
        self._parts = Group(*parts)
        self._strips: list[Strip] = []
        self._width = 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rendered(width))

    def on_resize(self) -> None:
        self.virtual_size = Size(0, len(self._rendered(self.content_region.width)))

    def notify_style_update(self) -> None:
        self._width = 0
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        strips = self._rendered(self.content_region.width)
        at, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        return strips[at].crop(0, width) if at < len(strips) else Strip.blank(width)

    def _rendered(self, width: int) -> list[Strip]:
        """All lines, for this width; the bar's column is always left free."""
        if width != self._width:
            self._width = width
            console = self.app.console
            options = console.options.update_width(
                max(1, width - self.styles.scrollbar_size_vertical)
            )
            lines = console.render_lines(self._parts, options, style=self.rich_style)
            self._strips = [
                Strip(line).adjust_cell_length(width, self.rich_style) for line in lines
            ]
        return self._strips
