"""What went wrong, as a sentence a person can act on.

Every room may raise these; the command line and the terminal UI show them. Pure functions raise
`ValueError` instead, and the borders turn it into one of these where a user can have caused it.
"""

from __future__ import annotations


class LatmixError(Exception):
    """What happened and why (`message`), and what to do about it (`hint`)."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class UsageError(LatmixError):
    """A value on the command line or in a call that cannot be meant (exit code 2)."""

    exit_code = 2


class PictureError(LatmixError):
    """One picture cannot be read; the others can still be used."""


class ModelError(LatmixError):
    """A model is unknown, incomplete, not on this machine, or refused."""


class StoreError(LatmixError):
    """The store of latents or results cannot be read or written."""
