"""Keys typed before a dialog is there, or before it is gone: they wait until what they are for is.

Textual hands a key to what has the focus when it comes, and runs its command later. The letters of
a word that is typed right after the key of a dialog would else be taken for commands, and commands
typed right after its enter would be written into it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterator

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message_pump import MessagePump
from textual.widgets import Input

BY_WORDS = {"alt+b": "ctrl+left", "alt+f": "ctrl+right"}
"""What moves by a word in a line that is written."""

MOST = 1.0
"""Seconds that keys wait for a key whose command never came back."""


class TypeAhead:
    """Holds keys back from a key that opens or may close a dialog until that has been done."""

    def __init__(
        self,
        app: App[int],
        openers: Container[str | None],
        takes_letters: Callable[[], bool],
        pass_on: Callable[[events.Event], Awaitable[None]],
    ) -> None:
        """Stands before an app.

        Args:
            openers: ids of commands that open a dialog at once or move the focus.
            takes_letters: whether letters are words now, not commands.
            pass_on: gives an event to the app.
        """
        self._app, self._openers = app, openers
        self._takes_letters, self._pass_on = takes_letters, pass_on
        self._holder: events.Key | None = None
        self._held: list[events.Key] = []

    async def take(self, event: events.Event) -> None:
        """An event has come for the app."""
        if not isinstance(event, events.Key):
            await self._pass_on(event)
        elif event.is_forwarded:
            # It comes back from what had the focus: its command runs now.
            await self._pass_on(event)
            if event is self._holder:
                _after_all_of(list(_upwards(self._app.focused)), lambda: self._settled(event))
        else:
            for key in split_alt(event, self._app):
                await self._take_or_hold(key)

    def screen_closed(self) -> None:
        """What the key did that others wait for."""
        if self._holder is not None:
            self._settled(self._holder)

    async def _take_or_hold(self, key: events.Key) -> None:
        if self._holder is not None:
            self._held.append(key)
            return
        if self._opens(key.key) or self._may_close(key):
            self._holder, self._held = key, []
            self._app.set_timer(MOST, lambda: self._settled(key))
        await self._pass_on(key)

    def _opens(self, key: str) -> bool:
        if len(self._app.screen_stack) != 1 or self._takes_letters():
            return False
        bound = self._app.screen.active_bindings.get(key)
        if bound is None:
            return False
        return bound.binding.id in self._openers or bound.binding.action == "command_palette"

    def _may_close(self, key: events.Key) -> bool:
        """Whether a dialog has a command on this key, which may be its last."""
        app = self._app
        if len(app.screen_stack) == 1 or key.key not in app.screen.active_bindings:
            return False
        return app.focused is None or not app.focused.check_consume_key(key.key, key.character)

    def _settled(self, holder: events.Key) -> None:
        """What the key did is done, but for the focus: that comes with the next paint."""
        if self._holder is holder:
            app = self._app
            app.screen.call_after_refresh(app.call_later, self._release, holder)

    async def _release(self, holder: events.Key) -> None:
        """Let the keys that waited go where the focus is now, until one of them holds the rest."""
        if self._holder is not holder:
            return
        self._holder, held = None, self._held
        for key in held:
            await self._take_or_hold(key)


def split_alt(key: events.Key, app: App[int]) -> tuple[events.Key, ...]:
    """Escape and a letter typed at once arrive as alt and the letter, in tmux even half a second
    apart: they are two keys again, unless alt with that letter has a meaning."""
    if key.key in BY_WORDS and isinstance(app.focused, Input):
        return (events.Key(BY_WORDS[key.key], None),)
    name = key.key.removeprefix("alt+")
    if name == key.key or not key.character or key.key in app.screen.active_bindings:
        return (key,)
    return events.Key("escape", "\x1b"), events.Key(key.character, key.character)


def _upwards(node: DOMNode | None) -> Iterator[MessagePump]:
    """A widget and what is around it, up to its screen."""
    while node is not None and not isinstance(node, App):
        yield node
        node = node.parent


def _after_all_of(pumps: list[MessagePump], call: Callable[[], None]) -> None:
    """Call once messages that the first of these has posted have gone through all of them."""
    if not pumps:
        call()
        return
    first, *others = pumps
    first.call_later(_after_all_of, others, call)
