"""Keys typed before a dialog is there, or before it is gone: they wait until what they are for is.

Textual hands a key to what has the focus when it comes, and runs its command later. The letters of
a word that is typed right after the key of a dialog would else be taken for commands, and commands
typed right after its enter would be written into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual import events
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.dom import DOMNode
from textual.message_pump import MessagePump
from textual.widgets import Input

OPENERS = frozenset({
    "open_folder", "choose_count", "choose_method", "choose_theme", "choose_model", "edit_prompt",
    "edit_settings", "load_weights", "export", "export_results", "show_failures", "show_help",
    "show_numbers", "copy_command", "compare_methods", "sweep_count", "switch_pane",
    "command_palette",
})  # fmt: skip
"""Actions that open a dialog at once or move the focus, or say why not."""

BY_WORDS = {"alt+b": "ctrl+left", "alt+f": "ctrl+right"}
"""What moves by a word in a line that is written."""

MOST = 1.0
"""Seconds that keys wait for a key whose command never came back."""


class TypeAheadApp(App[int]):
    """Holds keys back from a key that opens or may close a dialog until that has been done."""

    _holder: events.Key | None = None
    _held: list[events.Key]

    def takes_letters(self) -> bool:
        """Whether letters are words now, not commands."""
        raise NotImplementedError

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key):
            await super().on_event(event)
        elif event.is_forwarded:
            # It comes back from what had the focus: its command runs now.
            await super().on_event(event)
            if event is self._holder:
                _after_all_of(list(_upwards(self.focused)), lambda: self._settled(event))
        else:
            for key in split_alt(event, self):
                await self._take_or_hold(key)

    def pop_screen(self) -> AwaitComplete:
        popped = super().pop_screen()
        if (holder := self._holder) is not None:
            self._settled(holder)
        return popped

    async def _take_or_hold(self, key: events.Key) -> None:
        if self._holder is not None:
            self._held.append(key)
            return
        if self._opens(key.key) or self._may_close(key):
            self._holder, self._held = key, []
            self.set_timer(MOST, lambda: self._settled(key))
        await super().on_event(key)

    def _opens(self, key: str) -> bool:
        if len(self.screen_stack) != 1 or self.takes_letters():
            return False
        bound = self.screen.active_bindings.get(key)
        return bound is not None and bound.binding.action.removeprefix("app.") in OPENERS

    def _may_close(self, key: events.Key) -> bool:
        """Whether a dialog has a command on this key, which may be its last."""
        if len(self.screen_stack) == 1 or key.key not in self.screen.active_bindings:
            return False
        focused = self.focused
        return focused is None or not focused.check_consume_key(key.key, key.character)

    def _settled(self, holder: events.Key) -> None:
        """What the key did is done, but for the focus: that comes with the next paint."""
        if self._holder is holder:
            self.screen.call_after_refresh(self.call_later, self._release, holder)

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
