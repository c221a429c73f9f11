"""What the command line says: data on stdout, and words for the person on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from latmix.names import display_name

if TYPE_CHECKING:
    from rich.console import Console

    from latmix.jobs.pictures import Failure
    from latmix.store.folders import Unusable
    from latmix.study.chart import Plot

LEFT_OUT = 3
"""The exit code where pictures were left out."""


def screen(to_stderr: bool = False) -> Console:
    """A rich console that reads no markup in what it is given."""
    from rich.console import Console

    return Console(stderr=to_stderr, markup=False, highlight=False, soft_wrap=True)


def say(text: str, quiet: bool = False) -> None:
    """A message for the person, on stderr."""
    if not quiet:
        screen(to_stderr=True).print(text)


def print_table(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """A table on stdout, its columns named as those of `report.plain_table`."""
    from latmix.report import plain_table

    screen().print(plain_table(*columns, rows=rows))


def print_chart(plots: Sequence[Plot], **labels: Any) -> None:
    """A chart on stdout, as wide as the screen has room for, labelled as by `chart.draw_chart`."""
    from latmix.study.chart import draw_chart

    out = screen()
    out.print(draw_chart(plots, width=min(out.width, 100), **labels))


def print_json(content: object) -> None:
    """One line of JSON on stdout: ASCII, so that any name can be written to any stream."""
    sys.stdout.write(json.dumps(content, ensure_ascii=True, allow_nan=False) + "\n")
    sys.stdout.flush()


def answer(content: object, text: str, as_json: bool) -> None:
    """A command's answer on stdout: JSON, or in words."""
    if as_json:
        print_json(content)
    else:
        screen().print(text)


def tell_failures(failures: Iterable[Failure]) -> None:
    """Name every picture that was left out; said even when quiet."""
    for failure in failures:
        say(f"left out: {failure.reason}")


def exit_code(failures: Sequence[Failure]) -> int:
    """Of a command that left these out."""
    return LEFT_OUT if failures else 0


def failures_json(failures: Iterable[Failure | Unusable]) -> list[dict[str, Any]]:
    return [{"path": display_name(f.path), "reason": f.reason} for f in failures]
