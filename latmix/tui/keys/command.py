"""Commands of the terminal UI: what a key does is registered with the key, its label and its help.

    AREA = Area("Weights")

    @AREA.command("weight.solo", "s", "s", "Solo")
    def solo(explorer: Explorer) -> None:
        "All the weight on the picture under the cursor."

The function's docstring is the help. Footer, palette, `latmix keys` and the user's keymap come from
the areas too; `actions.areas` lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from textual.binding import Binding

Act = TypeVar("Act", bound=Callable[..., object])
"""A function of the explorer."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Command:
    """Something the user can do.

    Attributes:
        id: `area.verb`.
        keys: as Textual names them, separated by commas.
        shown_keys: as a person reads them.
        name: a few words.
        footer: what the footer calls it; empty keeps it out.
        opens: whether it opens a dialog at once or moves the focus, or says why not; keys that are
            typed meanwhile wait.
        busy: True where it works only while something can be stopped, False where only otherwise;
            the footer shows it only then.
        group: the heading it is under in the help.
    """

    id: str
    keys: str
    shown_keys: str
    name: str
    footer: str
    opens: bool
    group: str
    run: Callable[[Any], object]
    busy: bool | None = None

    @property
    def tooltip(self) -> str:
        """A sentence."""
        return " ".join((self.run.__doc__ or "").split())

    def binding(self) -> Binding:
        return Binding(
            self.keys,
            f"app.command('{self.id}')",
            self.footer or self.name,
            show=bool(self.footer),
            key_display=self.shown_keys.split("  ")[0],
            tooltip=self.tooltip,
            id=self.id,
        )


class Area:
    """Commands under one heading of the help, in the order they are written in."""

    def __init__(self, heading: str) -> None:
        self.heading = heading
        self.commands: list[Command] = []

    def command(
        self, id: str, keys: str, shown: str, name: str, footer: str = "", opens: bool = False
    ) -> Callable[[Act], Act]:
        """Registers a function, as `Command` says."""
        return self._registering(
            lambda run: Command(id, keys, shown, name, footer, opens, self.heading, run)
        )

    def command_while(
        self, busy: bool, id: str, keys: str, shown: str, name: str, footer: str
    ) -> Callable[[Act], Act]:
        """The same, of one that does not always work."""
        return self._registering(
            lambda run: Command(id, keys, shown, name, footer, False, self.heading, run, busy)
        )

    def _registering(self, made: Callable[[Act], Command]) -> Callable[[Act], Act]:
        def register(run: Act) -> Act:
            self.commands.append(made(run))
            return run

        return register


def given(
    find: Callable[[Any], Found | None], lacking: str
) -> Callable[[Callable[[Any, Found], object]], Callable[[Any], None]]:
    """For a function that needs something: it is given what `find` finds in the explorer; where
    that is nothing, `lacking` is said instead."""

    def within(act: Callable[[Any, Found], object]) -> Callable[[Any], None]:
        @wraps(act)
        def run(explorer: Any) -> None:
            if found := find(explorer):
                act(explorer, found)
            else:
                explorer.say(lacking)

        return run

    return within
