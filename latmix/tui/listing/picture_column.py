"""The left of the screen: the list of pictures, its header, filter and counts."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from latmix.session.session import Session
from latmix.tui.listing.lines import FilterLine, ListStatus, PictureHeader
from latmix.tui.listing.picture_list import PictureList


class PictureColumn(Vertical):
    """Keeps the lines around the list as the list is."""

    def __init__(self, session: Session, pictures: PictureList) -> None:
        super().__init__(id="left")
        self._session, self._pictures = session, pictures
        self._filter, self._status = FilterLine(), ListStatus()

    def compose(self) -> ComposeResult:
        yield PictureHeader(id="header", markup=False)
        yield self._filter
        yield self._pictures
        yield self._status

    def show(self) -> None:
        """Draw the session anew."""
        self._pictures.show_session()
        self.show_lines()

    def show_lines(self) -> None:
        """The words that names must have, and the counts."""
        self._filter.show(self._pictures.arrangement.words, self._pictures.is_filtering)
        self._status.show(self._session, self._pictures.arrangement)

    def on_filter_changed(self) -> None:
        self.show_lines()

    def on_list_changed(self) -> None:
        self.show_lines()
