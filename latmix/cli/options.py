"""The options that commands share, declared once, and the decorator that gives them to a command.

A command takes whole groups (`pictures: PictureOptions`); `command` spreads a group's fields into
the options that Typer sees, gathers them again, and turns errors into a sentence and an exit code.
"""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from latmix.errors import LatmixError, UsageError
from latmix.names import display_name
from latmix.process import leave_on_signals
from latmix.sampling.presets import PRESETS
from latmix.sampling.solvers import DEFAULT_SOLVER, INNER_STEPS, SOLVERS

INTERRUPTED = 130

OUT_OF_MEMORY = LatmixError("Memory ran out.", "Use a smaller --batch or --size.")


@dataclass(frozen=True)
class PictureOptions:
    """Which pictures."""

    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Pictures and folders of pictures.", show_default=False),
    ] = None
    demo: Annotated[
        str | None, typer.Option(help="Built-in pictures: faces, animals, food or hearts.")
    ] = None
    recursive: Annotated[bool, typer.Option("--recursive", help="Look into subfolders.")] = False
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first picture that cannot be read.")
    ] = False


@dataclass(frozen=True)
class ModelOptions:
    """Which model, and where it runs."""

    model: Annotated[
        str,
        typer.Option(
            help="A name of `latmix models list`, a hub id, a folder, or FILE.safetensors@BASE."
        ),
    ] = "auto"
    lora: Annotated[
        list[str] | None,
        typer.Option(
            help="FILE.safetensors[=SCALE]: a LoRA to add to the model; may be repeated.",
            show_default=False,
        ),
    ] = None
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto"
    dtype: Annotated[
        str, typer.Option(help="Of the network: auto, float32, float16, bfloat16.")
    ] = "auto"
    offload: Annotated[
        str,
        typer.Option(
            help="What is kept off the device for want of memory: none, model (a part comes when "
            "needed) or sequential (a layer does; slow)."
        ),
    ] = "none"
    batch: Annotated[
        str,
        typer.Option(
            help="Pictures at a time, or auto: 8, on a GPU what its memory has room for; halved "
            "where memory runs out."
        ),
    ] = "auto"

    @property
    def name(self) -> str:
        """The model with its LoRAs, as `find_model` reads it."""
        return "+".join([self.model, *(self.lora or ())])

    @property
    def at_a_time(self) -> int | None:
        """Pictures, where --batch says how many.

        Raises:
            UsageError: it says neither a number of at least 1 nor auto.
        """
        if self.batch == "auto":
            return None
        if not (self.batch.isdecimal() and int(self.batch) > 0):
            raise UsageError(
                f"--batch {display_name(self.batch)} is not a number of pictures.",
                "Write a whole number of at least 1, or auto.",
            )
        return int(self.batch)


@dataclass(frozen=True)
class InversionOptions:
    """How pictures become latents. None is the preset's value, else the default."""

    prompt: Annotated[
        str | None,
        typer.Option(
            help="What the pictures show; {name} and {folder} are filled in. A file name.txt "
            "beside a picture wins.",
            show_default=False,
        ),
    ] = None
    negative: Annotated[str, typer.Option(help="Negative prompt.")] = ""
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps, both ways.  [default: 50]", show_default=False)
    ] = None
    inversion_guidance: Annotated[
        float | None,
        typer.Option(min=0, help="Guidance while inverting.  [default: 1]", show_default=False),
    ] = None
    solver: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(SOLVERS)}: how pictures are inverted.  [default: {DEFAULT_SOLVER}]",
            show_default=False,
        ),
    ] = None
    inner_steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Of null-text, at most, for each step.  [default: {INNER_STEPS}]",
            show_default=False,
        ),
    ] = None
    size: Annotated[
        str | None,
        typer.Option(help="WIDTHxHEIGHT in pixels.  [default: the model's]", show_default=False),
    ] = None
    fit: Annotated[
        str | None,
        typer.Option(help="crop, pad or stretch.  [default: crop]", show_default=False),
    ] = None
    preset: Annotated[
        str | None,
        typer.Option(
            help=f"The paper's settings: {', '.join(PRESETS)}.",
            show_default=False,
        ),
    ] = None


@dataclass(frozen=True)
class OutputOptions:
    """Where the result goes and what is said."""

    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The PNG to write.  [default: a free name here]",
            show_default=False,
        ),
    ] = None
    open: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the viewer.")] = False
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the result.")] = False


@dataclass(frozen=True)
class SayOptions:
    """What is said, for commands that write no picture."""

    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")] = False


Method = Annotated[
    str, typer.Option("--method", "-m", help="norm/mean, such as nin/lp:1, nin/chm, fix/0.")
]
GuidanceScale = Annotated[
    float | None,
    typer.Option(
        "--guidance",
        min=0,
        help="Guidance while generating.  [default: the model's]",
        show_default=False,
    ),
]
Draft = Annotated[
    int,
    typer.Option(
        "--draft",
        min=0,
        help="Generate in this many steps of DPM-Solver++ instead, such as 10.  [default: none]",
        show_default=False,
    ),
]
Weights = Annotated[
    list[str] | None,
    typer.Option("-w", "--weight", help="NAME=WEIGHT; may be repeated.", show_default=False),
]
WeightFile = Annotated[
    Path | None,
    typer.Option("--weights", help="CSV with the columns name, weight.", show_default=False),
]


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """Make a Typer command of a function that takes option groups and returns its exit code."""
    hints = get_type_hints(function, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    spread = [
        parameter
        for name, given in inspect.signature(function).parameters.items()
        for parameter in (
            _fields(groups[name]) if name in groups else [_option(name, given.default, hints[name])]
        )
    ]

    @wraps(function)
    def run(**values: Any) -> None:
        for name, group in groups.items():
            if isinstance(group, type):
                taken = {f.name: values.pop(f.name, f.default) for f in fields(group)}
                values[name] = group(**taken)
        raise typer.Exit(_guarded(lambda: function(**values)) or 0)

    run.__signature__ = inspect.Signature(spread)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in spread}
    return run


def _fields(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [_option(field.name, field.default, hints[field.name]) for field in fields(group)]


def _option(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _guarded(work: Callable[[], int | None]) -> int | None:
    """Run a command's work; what goes wrong becomes a sentence on stderr and an exit code."""
    leave_on_signals()
    try:
        return work()
    except LatmixError as error:
        return _complain(error)
    except ValueError as error:
        # A pure function refused a value that can only have come from the command line.
        return _complain(UsageError(_sentence(error)))
    except KeyboardInterrupt:
        typer.echo("Interrupted. What was finished is kept: run it again to go on.", err=True)
        return INTERRUPTED
    except MemoryError:
        return _complain(OUT_OF_MEMORY)
    except BrokenPipeError:
        # Who read the answer has gone: nothing more can be said, nor flushed at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        return _complain(_unexpected(error))


def _unexpected(error: Exception) -> LatmixError:
    """What to say of an error that nobody foresaw; the log has all of it."""
    if "allocate" in str(error) and "memory" in str(error):
        return OUT_OF_MEMORY
    where = ""
    try:
        from latmix.config import load_config

        log = load_config().log_file
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write("".join(traceback.format_exception(error)))
        where = f"The details are in {display_name(log)}."
    except (LatmixError, OSError, RuntimeError):
        pass
    return LatmixError(f"{type(error).__name__}: {display_name(str(error))}.", where)


def _complain(error: LatmixError) -> int:
    typer.echo(f"latmix: {error}", err=True)
    return error.exit_code


def _sentence(error: ValueError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
