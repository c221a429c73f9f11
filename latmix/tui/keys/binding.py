"""A key of a widget or dialog, which the footer does not show."""

from __future__ import annotations

from textual.binding import Binding


def key(id: str, keys: str, action: str, name: str, tooltip: str) -> Binding:
    """A binding.

    Args:
        id: `area.verb`, by which the user can have other keys.
        keys: as Textual names them, separated by commas.
    """
    return Binding(keys, action, name, show=False, tooltip=tooltip, id=id)


def up_and_down(area: str, action: str, what: str = "") -> list[Binding]:
    """j and k, where the arrows work by themselves.

    Args:
        action: begins the names of what the arrows do.
        what: that the tooltip names.
    """
    return [
        key(f"{area}.down", "j", f"{action}_down", "Down", f"One {what}down."),
        key(f"{area}.up", "k", f"{action}_up", "Up", f"One {what}up."),
    ]
