"""What is posted inside the terminal UI: facts, past tense."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from latmix.jobs.engine import JobEvent, JobProgressed


@dataclass
class JobReported(Message):
    """Something happened to a job. A newer progress replaces an older one, an ending never goes."""

    event: JobEvent

    def can_replace(self, message: Message) -> bool:
        if not isinstance(message, JobReported):
            return False
        old, new = self.event, message.event
        if not (isinstance(old, JobProgressed) and isinstance(new, JobProgressed)):
            return False
        loses_preview = old.progress.preview is not None and new.progress.preview is None
        return old.job is new.job and not loses_preview


@dataclass
class CursorMoved(Message):
    """Another picture is under the cursor; None for a folder's heading, or nothing."""

    path: Path | None


@dataclass
class BarPulled(Message):
    """The mouse set a picture's weight; all but the first of a pull replace the one before."""

    path: Path
    weight: float
    is_first: bool

    def can_replace(self, message: Message) -> bool:
        return (
            isinstance(message, BarPulled)
            and self.path == message.path
            and not (self.is_first or message.is_first)
        )


@dataclass
class SignsClicked(Message):
    """The signs of the picture under the cursor, or a folder's heading, were clicked."""

    is_marking: bool


@dataclass
class ListChanged(Message):
    """The list is shown otherwise, by other words maybe, or pictures are marked."""

    said: str = ""


@dataclass
class ResultChosen(Message):
    """A result of the strip was clicked."""

    path: Path
