"""The first line: where we are, how many pictures, which method and model."""

from __future__ import annotations

from pathlib import Path

from latmix.jobs.screen.studio import WorkingModel
from latmix.names import display_name
from latmix.session.session import Session
from latmix.tui.line import Line
from latmix.tui.work.jobs import Jobs

LEAST_FOLDER = 8


class TitleLine(Line):
    """Folder, N of how many, method, model, device; the folder's name gives way first."""

    def __init__(self, session: Session, jobs: Jobs) -> None:
        super().__init__(id="title")
        self.tooltip = "The folder, how many pictures are mixed, the method, model and device."
        self._session, self._jobs = session, jobs

    def show(self) -> None:
        """Draw the session anew."""
        self.show_line(title_text(self._session, self._jobs.working_model, self.content_size.width))

    def on_resize(self) -> None:
        self.show()


def title_text(session: Session, used: WorkingModel | None, width: int) -> str:
    """The line in about `width` cells."""
    mixed = len(session.mixture) if session.mixture else 0
    parts = [f"{mixed:,} of {len(session.pictures):,}", session.choices.method]
    if session.choices.seed is not None:
        parts.append(f"seed {session.choices.seed}")
    if used is not None:
        parts.append(display_name(used.model, 24) + (" (emoji)" if used.is_built_in else ""))
        parts.append(used.device)
    rest = " · ".join(parts)
    room = max(LEAST_FOLDER, width - len(rest) - len("latmix   · "))
    folder = short_name(session.folder, room) if session.folder else "no folder"
    return f"latmix  {folder} · {rest}"


def short_name(folder: Path, width: int | None = None) -> str:
    """As it can be shown, with ~ for the home folder."""
    home = Path.home()
    inside = folder.is_relative_to(home)
    return display_name(Path("~") / folder.relative_to(home) if inside else folder, width)
