"""Commands that are imported when one of them runs are in the help all the same."""

from __future__ import annotations

import pytest

from latmix.cli import Commands
from latmix.cli.late import LateCommand
from latmix.cli.study import Studies

LATE = [command for group in (Commands(), Studies()) for command in group.commands.values()]


@pytest.mark.parametrize("command", LATE, ids=lambda command: str(command.name))
def test_a_command_is_named_by_the_first_sentence_of_its_own_help(command: LateCommand) -> None:
    said = command.get_short_help_str(200)
    assert said.endswith((".", "..."))
    assert " ".join((command.loaded.help or "").split()).startswith(said.removesuffix("."))
