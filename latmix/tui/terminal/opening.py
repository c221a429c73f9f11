"""Screens that open over another: laid out once, with room for keys between the steps of that.

Textual styles such a screen twice and lays it out three times to open it, all in one turn of the
loop, and twice when the terminal is resized: 0.12 s of processor time for a dialog at 200 x 60,
where 0.1 s is the most that a key may wait.
"""

from __future__ import annotations

import asyncio
from typing import TypeVar

from textual import events
from textual.geometry import Size
from textual.screen import ModalScreen

Answer = TypeVar("Answer")

TOO_SMALL = (
    "latmix needs a terminal of 60 x 20.\nMake this one larger, or press ctrl+q: nothing is lost."
)


class Opening(ModalScreen[Answer]):
    """A screen over the one of the pictures."""

    _is_open = False
    _laid_out: Size | None = None

    def __init__(self, classes: str = "") -> None:
        # As a resize would give them to it, which is a second layout.
        app, below = self.app, self.app.screen_stack[0]
        by_size = [*(app.HORIZONTAL_BREAKPOINTS or ()), *(app.VERTICAL_BREAKPOINTS or ())]
        known = {name for _, name in by_size} & below.classes
        super().__init__(classes=" ".join([classes, *sorted(known)]))
        self._made_for = below.size

    async def on_event(self, event: events.Event) -> None:
        await super().on_event(event)
        await asyncio.sleep(0)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        if not self._is_open:
            # Its widgets have just been mounted, and styled for that.
            self._is_open, event.refresh_styles = True, False
            if self.app.size == self._made_for:
                self._laid_out = self._made_for

    def on_resize(self, event: events.Resize) -> None:
        if event.size == self._laid_out:
            event.prevent_default()
        self._laid_out = event.size
