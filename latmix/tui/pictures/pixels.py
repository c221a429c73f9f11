"""Real pixels in terminals that can show them, through textual-image, which is optional.

The terminal is asked when that library is imported, and can be asked only while no screen is up:
call `find_pixels` before the app runs. Where anything is missing the half-blocks stay.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.widget import Widget

SWITCH = "LATMIX_PIXELS"
"""0 in this environment variable keeps the half-blocks."""

ABLE = ("SixelImage", "TGPImage")
"""textual-image's names for what draws pixels; its others draw characters, as we do ourselves."""


def find_pixels() -> type[Widget] | None:
    """A widget whose `image` is shown in pixels, or None where this terminal has only characters.

    Sixel or kitty's protocol; over ssh too, where the terminal at the near end speaks it.
    """
    if os.environ.get("NO_COLOR") or os.environ.get(SWITCH) == "0":
        return None
    log = logging.getLogger("latmix")
    try:
        from textual_image import renderable, widget
    except ImportError:
        log.debug("textual-image is not installed: pictures are drawn in half-blocks")
        return None
    except Exception as error:
        # Whatever a terminal answers, or fails to, must not keep the program from opening.
        log.warning("the terminal could not be asked for pixels: %r", error)
        return None
    return _widget(renderable.Image, renderable, widget)


def _widget(found: object, renderable: Any, widgets: Any) -> type[Widget] | None:
    if not any(found is getattr(renderable, name, None) for name in ABLE):
        return None
    kind: type[Widget] = widgets.Image
    return kind
