"""The first line: where we are, how many pictures, which method and model."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text
from textual.widgets import Static

from latmix.jobs.screen.studio import Setting
from latmix.names import display_name
from latmix.session.session import Session

LEAST_FOLDER = 8


class TitleLine(Static):
    """Folder, N of how many, method, model, device; the folder's name gives way first."""

    def __init__(self) -> None:
        super().__init__(id="title")
        self.tooltip = "The folder, how many pictures are mixed, the method, model and device."
        self._session: Session | None = None
        self._setting: Setting | None = None
        self._said = ""

    def show(self, session: Session, setting: Setting | None) -> None:
        self._session, self._setting = session, setting
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self._session is None:
            return
        text = title_text(self._session, self._setting, self.content_size.width)
        if text != self._said:
            self._said = text
            self.update(Text(text, no_wrap=True, overflow="ellipsis"), layout=False)


def title_text(session: Session, setting: Setting | None, width: int) -> str:
    """The line in about `width` cells."""
    mixed = len(session.mixture) if session.mixture else 0
    parts = [f"{mixed:,} of {len(session.pictures):,}", session.choices.method]
    if session.choices.seed is not None:
        parts.append(f"seed {session.choices.seed}")
    if setting is not None:
        parts.append(display_name(setting.model, 24) + (" (emoji)" if setting.is_built_in else ""))
        parts.append(setting.device)
    rest = " · ".join(parts)
    room = max(LEAST_FOLDER, width - len(rest) - len("latmix   · "))
    folder = short_name(session.folder, room) if session.folder else "no folder"
    return f"latmix  {folder} · {rest}"


def short_name(folder: Path, width: int | None = None) -> str:
    """As it can be shown, with ~ for the home folder."""
    home = Path.home()
    inside = folder.is_relative_to(home)
    return display_name(Path("~") / folder.relative_to(home) if inside else folder, width)
