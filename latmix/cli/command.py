"""The decorator that makes a command of a function that takes whole groups of options.

A group is a dataclass (`pictures: PictureOptions`) or `Settings` of the table: `command` spreads
its fields into the options that Typer sees, and gathers them again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from latmix.cli.border import guarded
from latmix.session.choices import SETTINGS
from latmix.session.fields import Row
from latmix.session.presets import PRESETS, find_preset

Given = dict[str, Any]
"""Settings by name, as far as the command line or a preset gives them."""

PRESET = Row("preset", None, help=f"The paper's settings: {', '.join(PRESETS)}.")


@dataclass(frozen=True)
class Settings:
    """Marks a parameter that is `Given` these settings; a preset among them stands for its own."""

    rows: tuple[Row, ...]

    @classmethod
    def named(cls, *names: str) -> Settings:
        return cls(tuple(row for row in SETTINGS if row.name in names))

    def gather(self, values: dict[str, Any]) -> Given:
        """Take those that were given out of the values of all options.

        Raises:
            ValueError, UsageError: one cannot be used.
        """
        given: Given = {}
        for row in self.rows:
            value = values.pop(row.name, None)
            if value is not None:
                given[row.name] = row.parse(value) if isinstance(value, str) else value
        preset = given.pop(PRESET.name, None)
        return given if preset is None else {**find_preset(preset), **given}


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """Make a Typer command of a function that takes option groups and returns its exit code."""
    hints = get_type_hints(function, include_extras=True)
    taken = inspect.signature(function).parameters
    spread = [one for name in taken for one in _spread(name, taken[name].default, hints[name])]

    @wraps(function)
    def run(**values: Any) -> None:
        def work() -> int | None:
            return function(
                **{name: _gather(name, taken[name].default, hints[name], values) for name in taken}
            )

        raise typer.Exit(guarded(work) or 0)

    run.__signature__ = inspect.Signature(spread)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in spread}
    return run


def _spread(name: str, default: Any, hint: Any) -> list[inspect.Parameter]:
    """The options of a parameter, or of a group's field."""
    if is_dataclass(hint):
        hints = get_type_hints(hint, include_extras=True)
        return [one for f in fields(hint) for one in _spread(f.name, f.default, hints[f.name])]
    if (settings := _settings(hint)) is not None:
        return [_parameter(row.name, None, _option(row)) for row in settings.rows]
    return [_parameter(name, default, hint)]


def _gather(name: str, default: Any, hint: Any, values: dict[str, Any]) -> Any:
    """The value of a parameter, or of a group's field, out of those of all options."""
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint, include_extras=True)
        return hint(
            **{f.name: _gather(f.name, f.default, hints[f.name], values) for f in fields(hint)}
        )
    if (settings := _settings(hint)) is not None:
        return settings.gather(values)
    return values.pop(name, default)


def _settings(hint: Any) -> Settings | None:
    notes = getattr(hint, "__metadata__", ())
    return next((note for note in notes if isinstance(note, Settings)), None)


def _parameter(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _option(row: Row) -> Any:
    """The option of a setting: None is that it is not given."""
    words = row.default_words or row.text(row.default).removesuffix(".0")
    help = f"{row.help}  [default: {words}]" if words else row.help
    option = typer.Option(row.flag, min=row.kind.least, help=help, show_default=False)
    return Annotated[row.kind.option | None, option]
