"""What is posted inside the terminal UI: facts, past tense."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from latmix.jobs.engine import JobEvent, JobProgressed
from latmix.viewer import Opened


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
        return old.kind == new.kind and old.job == new.job and not loses_preview


@dataclass
class CursorMoved(Message):
    """Another picture is under the cursor."""

    path: Path


@dataclass
class FolderExpanded(Message):
    """A folder's subfolders are wanted; None stands for the built-in pictures."""

    folder: Path | None


@dataclass
class ViewerAnswered(Message):
    """The system viewer opened a picture, or did not."""

    path: Path
    answer: Opened


@dataclass
class SignalReceived(Message):
    """The system asks the program to end."""

    number: int


@dataclass
class ResultChosen(Message):
    """A result of the strip was clicked."""

    path: Path


@dataclass
class StripWanted(Message):
    """Results whose small pictures are needed."""

    paths: tuple[Path, ...]
