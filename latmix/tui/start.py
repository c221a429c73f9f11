"""What the explorer starts with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from latmix.config import Config
from latmix.jobs.screen.studio import Studio
from latmix.session.choices import USUAL_COUNT
from latmix.session.session import Session
from latmix.tui.keys.keymap import Keymap
from latmix.tui.terminal.themes import Themes

if TYPE_CHECKING:
    from textual.widget import Widget


@dataclass(frozen=True)
class Start:
    """What the explorer starts with.

    Attributes:
        session: new or resumed.
        folder: to open; None asks for one.
        count: pictures of a new mixture.
        is_resumed: whether the session is an earlier one.
        is_plain: no colours, whatever the theme.
        pixels: a widget that shows pictures in pixels, where the terminal can.
        keymap: the user's own keys, checked.
        notes: to say first.
    """

    config: Config
    session: Session
    studio: Studio
    themes: Themes
    folder: Path | None
    count: int = USUAL_COUNT
    is_resumed: bool = False
    is_plain: bool = False
    pixels: type[Widget] | None = None
    keymap: Keymap = field(default_factory=lambda: Keymap({}))
    notes: tuple[str, ...] = ()
