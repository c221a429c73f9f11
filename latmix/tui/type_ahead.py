"""Keys typed before a dialog is there: they are for the dialog, and wait until it is.

Textual hands a key to what has the focus when it comes, and runs its command later. The letters of
a word that is typed right after the key of a dialog would else be taken for commands.
"""

from __future__ import annotations

from textual import events
from textual.app import App
from textual.message import Message

OPENERS = frozenset({
    "open_folder", "choose_count", "choose_method", "choose_theme", "choose_model", "edit_prompt",
    "edit_settings", "load_weights", "export", "export_results", "show_failures", "show_help",
    "copy_command", "command_palette",
})  # fmt: skip
"""Actions that open a dialog at once, or say why not."""

MOST = 1.0
"""Seconds that keys wait for a dialog whose key was taken by something else."""


class TypeAheadApp(App[int]):
    """Holds keys back from the key of a dialog until the dialog has the focus."""

    _opener: events.Key | None = None
    _held: list[events.Key] | None = None

    def takes_letters(self) -> bool:
        """Whether letters are words now, not commands."""
        raise NotImplementedError

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key):
            await super().on_event(event)
        elif event.is_forwarded:
            # It comes back from what had the focus: its command runs now.
            await super().on_event(event)
            if event is self._opener:
                self._opener = None
                self.screen.call_after_refresh(self._release)
        elif self._held is not None:
            self._held.append(event)
        else:
            if self._opens(event.key):
                self._opener, self._held = event, []
                self.set_timer(MOST, lambda: self._give_up(event))
            await super().on_event(event)

    def _opens(self, key: str) -> bool:
        if len(self.screen_stack) != 1 or self.takes_letters():
            return False
        bound = self.screen.active_bindings.get(key)
        return bound is not None and bound.binding.action.removeprefix("app.") in OPENERS

    def _give_up(self, opener: Message) -> None:
        if self._opener is opener:
            self._opener = None
            self._release()

    def _release(self) -> None:
        """Let the keys that waited go where the focus is now."""
        held, self._held = self._held or [], None
        for key in held:
            self.post_message(key)
