"""A command of the terminal UI, and the key binding that is made of it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Command:
    """Something the user can do.

    Attributes:
        id: `area.verb`.
        keys: as Textual names them, separated by commas.
        action: of the app.
        shown_keys: as a person reads them.
        name: a few words.
        tooltip: a sentence.
        group: the heading it is under in the help.
        footer: what the footer calls it; empty keeps it out.
    """

    id: str
    keys: str
    action: str
    shown_keys: str
    name: str
    tooltip: str
    group: str
    footer: str = ""

    def binding(self) -> Binding:
        return Binding(
            self.keys,
            self.action,
            self.footer or self.name,
            show=bool(self.footer),
            key_display=self.shown_keys.split("  ")[0],
            tooltip=self.tooltip,
            id=self.id,
        )
