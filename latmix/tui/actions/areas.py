"""Every command of the terminal UI, in the order of the help."""

from __future__ import annotations

from latmix.tui.actions import choosing, keeping, making, pictures, program, results, weights
from latmix.tui.keys.command import Command

COMMANDS: tuple[Command, ...] = tuple(
    command
    for area in (weights, keeping, pictures, making, choosing, results, program)
    for command in area.AREA.commands
)
