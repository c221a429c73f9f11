"""Commands that are imported when one of them runs, so that help answers at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group


class LateCommand(TyperCommand):
    """Stands for a command in the help of its group, which needs its first sentence alone."""

    def __init__(self, name: str, module: str) -> None:
        """
        Args:
            module: of this room; a command is its function of that name, and a group its `app`.
        """
        super().__init__(name)
        self._module = module

    @cached_property
    def loaded(self) -> Any:
        """The command itself, or the group."""
        module = import_module(f"latmix.cli.{self._module}")
        if app := getattr(module, "app", None):
            return get_group(app)
        app = typer.Typer(
            add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
        )
        app.command(self.name)(getattr(module, str(self.name)))
        return get_command(app)

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence of its docstring, read off the source: imports would take too long."""
        source = Path(__file__).with_name(f"{self._module}.py").read_text(encoding="utf-8")
        found = re.search(rf'^def {self.name}\(.*?"""(.+?)(\n\n|""")', source, re.M | re.S)
        self.help = found[1] if found else None
        return super().get_short_help_str(limit)

    def make_context(self, *given: Any, **named: Any) -> Any:
        return self.loaded.make_context(*given, **named)


class LateGroup(TyperGroup):
    """A group of such commands."""

    late: ClassVar[Mapping[str, str]]
    """The commands of each module of this room, by its name."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for module, names in self.late.items():
            self.commands.update({name: LateCommand(name, module) for name in names.split()})
