"""The desk: folders, thumbnails and files, on a thread that never waits for an inversion."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

from latmix.jobs.engine import Engine, JobEvent
from latmix.jobs.progress import Progress
from latmix.jobs.screen import browsing, history, weights
from latmix.jobs.screen.studio import weigh
from latmix.session.session import Session
from latmix.tui.work.album import Album

Job = Generator[Progress, None, Any]


class Desk:
    """Reads and writes for a session; of each kind only the last that was asked for is wanted."""

    def __init__(self, session: Session, tell: Callable[[JobEvent], None]) -> None:
        self.session = session
        self.is_scanning = False
        self._desk = Engine(tell)
        self._album = Album(tell)
        self._last: dict[str, int] = {}

    def scan(self, folder: Path, recursive: bool, prompt: str | None) -> None:
        self.is_scanning = True
        self.ask("scan", lambda: browsing.scan_pictures(folder, recursive, prompt))

    def list_folders(self, folder: Path | None) -> None:
        """None: the built-in ones."""
        if folder is None:
            self._desk.submit("list", browsing.list_built_in)
        else:
            self._desk.submit("list", lambda: browsing.list_folders(folder))

    def read_thumbnail(self, path: Path) -> None:
        self.ask("thumbnail", lambda: browsing.read_thumbnail(path))

    def read_result(self, path: Path) -> None:
        """A picture of a mixture that was made before, with its recipe."""
        self.ask("result", lambda: history.look_at(path))

    def save(self, path: Path) -> None:
        content = self.session.content()
        self.ask("save", lambda: browsing.save_session(path, content))

    def read_tiles(self, paths: Iterable[Path]) -> None:
        """Small pictures for the list; those asked for before and not again are left."""
        self._album.want(paths)

    def read_weights_file(self, file: Path) -> None:
        pictures = list(self.session.pictures)
        self.ask("weights", lambda: weights.read_weights_file(file, pictures))

    def read_weights_text(self, text: str) -> None:
        pictures = list(self.session.pictures)
        self.ask("weights", lambda: weights.read_weights_text(text, pictures))

    def write_text(self, file: Path, text: str, what: str) -> None:
        self.ask("write", lambda: weights.write_text(file, text, what))

    def weigh(self) -> None:
        """Have the statistics of a mixture too large to compute at once."""
        live, method = self.session.live, self.session.choices.method
        if live is not None:
            row = self.session.weights_by_row()
            self.ask("weigh", lambda: weigh(live, row, method))

    def is_wanted(self, event: JobEvent) -> bool:
        """Whether no newer job of its kind was asked of the desk."""
        return self._last.get(event.kind) == event.job

    def ask(self, kind: str, job: Callable[[], Job]) -> None:
        """Have the desk do something of which only the last one asked for is wanted."""
        if kind in self._last:
            self._desk.cancel(self._last[kind])
        self._last[kind] = self._desk.submit(kind, job)
