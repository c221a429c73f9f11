"""Commands that are imported when one of them runs, so that help answers at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group


class LateCommand(TyperCommand):
    """Stands for a command in the help of its group, which needs its first sentence alone."""

    def __init__(self, name: str, place: str, sentence: str) -> None:
        """
        Args:
            place: `module:function` in this room, or `module:app` of a group of commands.
            sentence: the first of the command's own help.
        """
        super().__init__(name, help=sentence)
        self._place = place

    @cached_property
    def loaded(self) -> Any:
        """The command itself, or the group."""
        module, _, name = self._place.partition(":")
        found = getattr(import_module(f"latmix.cli.{module}"), name)
        if isinstance(found, typer.Typer):
            return get_group(found)
        app = typer.Typer(
            add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
        )
        app.command(self.name)(found)
        return get_command(app)

    def make_context(self, *given: Any, **named: Any) -> Any:
        return self.loaded.make_context(*given, **named)


class LateGroup(TyperGroup):
    """A group of such commands."""

    late: ClassVar[Mapping[str, tuple[str, str]]]
    """By name, where a command is and the first sentence of its help."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: LateCommand(name, *given) for name, given in self.late.items()}
