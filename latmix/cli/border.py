"""The border of the command line: what goes wrong in a command is a sentence and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

import typer

from latmix.errors import LatmixError, UsageError
from latmix.names import display_name
from latmix.process import leave_on_signals, quiet_logs

INTERRUPTED = 130

OUT_OF_MEMORY = LatmixError("Memory ran out.", "Use a smaller --batch or --size.")


def guarded(work: Callable[[], int | None]) -> int | None:
    """Run a command's work; what goes wrong becomes a sentence on stderr and an exit code."""
    leave_on_signals()
    quiet_logs()
    try:
        return work()
    except LatmixError as error:
        return _complain(error)
    except ValueError as error:
        # A pure function refused a value that can only have come from the command line.
        text = str(error)
        return _complain(UsageError(text[:1].upper() + text[1:]))
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
