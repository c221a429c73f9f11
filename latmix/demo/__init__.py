"""The built-in demo pictures: small emoji folders to try every command on without own data.

The command line and the terminal UI call this for `--demo NAME`; beyond that a demo folder is an
ordinary folder of pictures. Only the standard library is used, so a list of names costs nothing.
Licences of the artwork are in `NOTICE.md`; how the pictures were made is in `models/mini/train`.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from latmix.errors import UsageError

# The wording is that of the captions the built-in model was trained on.
_PROMPTS = {
    "faces": "an emoji of a face",
    "animals": "an emoji of an animal",
    "food": "an emoji of food",
    "hearts": "an emoji of a heart",
}


def names() -> tuple[str, ...]:
    """The demo folders, in the order they are offered."""
    return tuple(_PROMPTS)


def folder(name: str) -> Path:
    """Where the pictures of one demo lie.

    Raises:
        UsageError: no demo has this name; the hint gives the nearest one and lists all.
    """
    return Path(__file__).parent / _known(name)


def prompt(name: str) -> str:
    """The prompt under which the built-in model knows the pictures of one demo.

    Raises:
        UsageError: as `folder`.
    """
    return _PROMPTS[_known(name)]


def _known(name: str) -> str:
    if name in _PROMPTS:
        return name
    hint = f"The demos are {', '.join(_PROMPTS)}."
    if nearest := get_close_matches(name.lower(), _PROMPTS, n=1):
        hint = f'Did you mean "{nearest[0]}"? {hint}'
    raise UsageError(f'There are no demo pictures called "{name}".', hint)
